"""Wrong factors: the sign, 1/N and its kin, 2 and ½, zero, and repeated accumulation."""

from __future__ import annotations

from collections.abc import Iterator

from jacobians.diagnosis.slip import (
    Backward,
    Layer,
    Setting,
    Slip,
    all_entries,
    entries_of_parameters,
    entries_of_weights,
    times,
)


def scale(setting: Setting) -> Iterator[Slip]:
    """Factors of the loss's row, of everything with the regulariser, of one layer, of one parameter."""
    for factor in _factors(setting):
        yield from _multiplied(setting, *factor)
    yield from _zero(setting)
    for count in (2, 3, 4, 5, 10):
        title = f"{count} times the right gradient: it was accumulated over {count} calls"
        mend = "Set the buffers to zero before every backward pass."
        edit = all_entries(setting.params).changed(times(count))
        apart = "two calls on the same data: an accumulating buffer grows, a factor does not"
        yield Slip("accumulated", "state", title, mend, edit, scope=str(count), rank=1, apart=apart)


def _factors(setting: Setting) -> list[tuple[str, float, str, str]]:
    """The wrong factors: name, value, what is wrong, the mend; the usual ones first."""
    N, K = setting.count, setting.classes
    reduction = setting.network.loss.reduction
    found = [("sign", -1.0, "the sign is wrong: factor −1", "Negate it: the derivative is output minus target.")]
    twice = ("double-1/N", 1 / N, f"1/N is there twice: factor 1/N = 1/{N}", "Divide by N once only.")
    if reduction == "mean":
        found += [
            ("missing-1/N", N, f"1/N is missing: factor N = {N}", "Divide by N: the loss is a mean."),
            twice,
            ("extra-1/K", 1 / K, f"a mean over N·K: factor 1/K = 1/{K}", "Divide by N, not by N·K."),
        ]
    elif reduction == "mean-all":
        found += [
            ("missing-1/K", K, f"1/K is missing: factor K = {K}", "Divide by N·K: it is a mean over all."),
            ("missing-1/N", N, f"1/N is missing: factor N = {N}", "Divide by N·K: it is a mean over all."),
            ("missing-1/NK", N * K, f"1/(N·K) is missing: factor {N * K}", "Divide by N·K."),
            twice,
            ("extra-1/K", 1 / K, f"1/K is there twice: factor 1/{K}", "Divide by K once only."),
        ]
    else:
        found += [
            ("averaged", 1 / N, f"averaged, not summed: factor 1/N = 1/{N}", "Sum: this loss is a sum."),
            ("extra-1/K", 1 / K, f"divided by K: factor 1/K = 1/{K}", "Leave out the 1/K: the loss is a sum."),
        ]
    if reduction != "sum":
        if N > 1:
            text = f"divided by N − 1 = {N - 1}, not by N = {N}"
            found.append(("N-1-for-N", N / (N - 1), text, "Divide by N: this is no sample variance."))
        text = f"divided by N + 1 = {N + 1}, not by N = {N}"
        found.append(("N+1-for-N", N / (N + 1), text, "Count the examples that are there, without padding."))
    found.append(("factor-2", 2.0, "a factor 2 too much", "Drop the 2, or take the loss with its ½."))
    found.append(("factor-half", 0.5, "a factor ½ too much", "Drop the ½: this loss has none, or has it already."))
    return found


def _multiplied(setting: Setting, name: str, c: float, title: str, mend: str) -> Iterator[Slip]:
    """One factor in every place where it may stand."""
    right, names, whole = setting.right, tuple(setting.params), ", the regulariser's part included"
    of = " of the loss's part" if setting.penalised else ""

    def delta(right: Backward) -> Backward:
        return right.with_delta(c * right.delta)

    yield Slip(name, "scale", title + of, mend, delta, apart="a batch of another size")
    if setting.penalised:
        edit = all_entries(names).changed(times(c))
        yield Slip(name, "scale", title + whole, mend, edit, scope="all", apart="another λ")
    for layer in setting.layers:
        own = tuple(n for n in names if right.owner[n] == layer.position)
        if len(own) > 1 and own != names:
            text = f"{title}, in layer {layer.number}'s parameters only"
            yield Slip(name, "scale", text, mend, all_entries(own).data_scaled(c), layer.number, "layer", 1)
    for part in entries_of_parameters(setting) if len(names) > 1 or setting.layout.absorbs_bias else ():
        # a factor 1/N or N of a bias alone has its own names, in the bias's family
        if part.label in _biases(setting) and name in ("missing-1/N", "double-1/N", "averaged"):
            continue
        if (part.label,) == names:
            continue
        text = f"{title}, in {part.label} only"
        yield Slip(name, "scale", text, mend, part.data_scaled(c), scope=part.label, rank=1)
        if setting.penalised:
            yield Slip(name, "scale", text + whole, mend, part.changed(times(c)), scope=f"{part.label}, all", rank=1)
    for part in entries_of_weights(setting):
        if part.layer is None:
            text = f"{title}, in {part.label} but no bias".replace(" without bias but no", " but no")
            yield Slip(name, "scale", text, mend, part.data_scaled(c), scope=part.label, rank=1)
    # between two layers, and so in every layer before
    for layer in setting.layers[1:-1]:

        def carried(right: Backward, layer: Layer = layer) -> Backward:
            pull = right.flow[layer.position]
            return right.with_flow({layer.position: lambda cotangent: c * pull(cotangent)})

        text = f"{title}, in the derivative that leaves layer {layer.number} backwards"
        yield Slip(name, "scale", text, mend, carried, layer.number, "carried", 1)


def _zero(setting: Setting) -> Iterator[Slip]:
    mend = "Store the result: this is what the buffer was made with."
    edit = all_entries(setting.params).changed(times(0.0))
    yield Slip("zero", "scale", "everything is zero", mend, edit, scope="all")
    for part in entries_of_parameters(setting) if len(setting.layers) > 1 else ():
        # a bias that is zero has its own name, in the bias's family
        if part.label not in _biases(setting):
            title = f"the gradient with respect to {part.label} is zero"
            yield Slip("zero", "scale", title, mend, part.changed(times(0.0)), part.layer, part.label)
            if setting.penalised:
                title, scope = f"{title} but for the regulariser's part", f"{part.label}, data"
                yield Slip("zero", "scale", title, mend, part.data_scaled(0.0), part.layer, scope)

    for layer in setting.layers[1:]:

        def cut(right: Backward, layer: Layer = layer) -> Backward:
            pull = right.flow[layer.position]
            return right.with_flow({layer.position: lambda cotangent: 0 * pull(cotangent)})

        title = f"nothing flows back through layer {layer.number}: all before it is zero"
        yield Slip("zero", "scale", title, "Pass δ on to the layer before.", cut, layer.number, "carried", 1)


def _biases(setting: Setting) -> set[str | None]:
    return {layer.bias for layer in setting.layers}
