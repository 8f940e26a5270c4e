"""Wrong factors: the sign, 1/N and its kin, 2 and ½, zero, and repeated accumulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from jacobians.arrays import Array
from jacobians.diagnosis.slip import Backward, Gradients, Mutation, Setting, parameter_parts, weight_parts

__all__ = ["factors", "scale"]


_Edit: TypeAlias = Callable[[Backward], Backward]


def factors(setting: Setting) -> list[tuple[str, float, str, str]]:
    """Return the factors that slips bring: name, value, what is wrong, the mend; the usual ones first."""
    N, K = setting.count, setting.classes
    reduction = setting.network.loss.reduction
    found: list[tuple[str, float, str, str]] = [
        ("sign", -1.0, "the sign is wrong: factor −1", "Negate it: the derivative is output minus target.")
    ]
    if reduction == "mean":
        found.append(("missing-1/N", N, f"1/N is missing: factor N = {N}", "Divide by N: the loss is a mean."))
        found.append(("double-1/N", 1 / N, f"1/N is there twice: factor 1/N = 1/{N}", "Divide by N once only."))
        found.append(("extra-1/K", 1 / K, f"a mean over N·K: factor 1/K = 1/{K}", "Divide by N, not by N·K."))
    elif reduction == "mean-all":
        found.append(("missing-1/K", K, f"1/K is missing: factor K = {K}", "Divide by N·K: it is a mean over all."))
        found.append(("missing-1/N", N, f"1/N is missing: factor N = {N}", "Divide by N·K: it is a mean over all."))
        found.append(("missing-1/NK", N * K, f"1/(N·K) is missing: factor {N * K}", "Divide by N·K."))
        found.append(("double-1/N", 1 / N, f"1/N is there twice: factor 1/N = 1/{N}", "Divide by N once only."))
        found.append(("extra-1/K", 1 / K, f"1/K is there twice: factor 1/{K}", "Divide by K once only."))
    else:
        found.append(("averaged", 1 / N, f"averaged, not summed: factor 1/N = 1/{N}", "Sum: this loss is a sum."))
        found.append(("extra-1/K", 1 / K, f"divided by K: factor 1/K = 1/{K}", "Leave out the 1/K: the loss is a sum."))
    if reduction != "sum":
        if N > 1:
            text = f"divided by N − 1 = {N - 1}, not by N = {N}"
            found.append(("N-1-for-N", N / (N - 1), text, "Divide by N: this is no sample variance."))
        text = f"divided by N + 1 = {N + 1}, not by N = {N}"
        found.append(("N+1-for-N", N / (N + 1), text, "Count the examples that are there, without padding."))
    found.append(("factor-2", 2.0, "a factor 2 too much", "Drop the 2, or take the loss with its ½."))
    found.append(("factor-half", 0.5, "a factor ½ too much", "Drop the ½: this loss has none, or has it already."))
    return found


def scale(setting: Setting) -> Iterator[Mutation]:
    """Factors of the loss's row, of everything with the regulariser, of one layer, of one parameter."""
    right, names = setting.right, tuple(setting.params)
    holders = {layer.bias for layer in setting.layers}
    for name, c, title, mend in factors(setting):
        of = " of the loss's part" if setting.penalised else ""
        yield Mutation(name, "scale", title + of, mend, _delta_times(c), apart="a batch of another size")
        if setting.penalised:
            text = f"{title}, the regulariser's part included"
            yield Mutation(name, "scale", text, mend, _times(c, names), scope="all", apart="another λ")
        for layer in setting.layers:
            own = tuple(n for n in names if right.owner[n] == layer.position)
            if len(own) > 1 and (own != names):
                text = f"{title}, in layer {layer.number}'s parameters only"
                yield Mutation(name, "scale", text, mend, _data_times(c, own), layer.number, "layer", 1)
        for part in parameter_parts(setting) if len(setting.params) > 1 or setting.layout.absorbs_bias else ():
            # a factor 1/N or N of a bias alone has its own names, in the bias's family
            if part.label in holders and name in ("missing-1/N", "double-1/N", "averaged"):
                continue
            if part.label == names[0] and len(names) == 1:
                continue
            text = f"{title}, in {part.label} only"
            yield Mutation(name, "scale", text, mend, part.data_scaled(c), scope=part.label, rank=1)
            if setting.penalised:
                text += ", the regulariser's part included"
                edit = part.changed(_multiply(c))
                yield Mutation(name, "scale", text, mend, edit, scope=f"{part.label}, all", rank=1)
        for part in weight_parts(setting):
            if part.layer is None:
                text = f"{title}, in {part.label} but no bias".replace(" without bias but no", " but no")
                yield Mutation(name, "scale", text, mend, part.data_scaled(c), scope=part.label, rank=1)
        yield from _carried(setting, name, c, title, mend)
    yield from _zero(setting)
    yield from _accumulated(setting)


def _carried(setting: Setting, name: str, c: float, title: str, mend: str) -> Iterator[Mutation]:
    """A factor that enters between two layers, and so reaches every layer before."""
    for layer in setting.layers[1:-1] if len(setting.layers) > 2 else ():

        def edit(right: Backward, p: int = layer.position, c: float = c) -> Backward:
            pull = right.flow[p]
            return right.with_flow(p, lambda cotangent: c * pull(cotangent))

        text = f"{title}, in the derivative that leaves layer {layer.number} backwards"
        yield Mutation(name, "scale", text, mend, edit, layer.number, "carried", 1)


def _zero(setting: Setting) -> Iterator[Mutation]:
    names = tuple(setting.params)
    mend = "Store the result: this is what the buffer was made with."
    yield Mutation("zero", "scale", "everything is zero", mend, _times(0.0, names), scope="all")
    for part in parameter_parts(setting) if len(setting.layers) > 1 else ():
        # a bias that is zero has its own name, in the bias's family
        if part.label not in {layer.bias for layer in setting.layers}:
            title = f"the gradient by {part.label} is zero"
            yield Mutation("zero", "scale", title, mend, part.changed(_multiply(0.0)), part.layer, part.label)


def _accumulated(setting: Setting) -> Iterator[Mutation]:
    names = tuple(setting.params)
    for times in (2, 3, 4, 5, 10):
        yield Mutation(
            "accumulated",
            "state",
            f"{times} times the right gradient: it was accumulated over {times} calls",
            "Set the buffers to zero before every backward pass.",
            _times(times, names),
            scope=str(times),
            rank=1,
            apart="two calls on the same data: an accumulating buffer grows, a factor does not",
        )


def _multiply(c: float) -> Callable[[Array], Array]:
    return lambda g: c * g


def _delta_times(c: float) -> _Edit:
    return lambda right: right.with_delta(c * right.delta)


def _times(c: float, names: tuple[str, ...]) -> _Edit:
    return lambda right: right.then_to(names, lambda g: c * g)


def _data_times(c: float, names: tuple[str, ...]) -> _Edit:
    """Times c, without the regulariser's part."""

    def edit(right: Backward) -> Backward:
        def change(grads: Gradients) -> Gradients:
            return {n: c * (g - right.penalty[n]) + right.penalty[n] if n in names else g for n, g in grads.items()}

        return right.then(change)

    return edit
