"""A chain's factors as they are shown in a notebook: a row of pictures, and a product."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np

from jacobians import Network


def test_a_chain_is_a_row_of_pictures_and_a_product() -> None:
    net = Network.dense((4, 3, 2), convention="ng-ml-2011")
    run = net.run(net.init(np.random.default_rng(0)), np.ones((5, 4)), [0, 1, 1, 0, 1])
    chain = run.chain("Theta1", of="Z3")
    root = ElementTree.fromstring(chain._repr_html_())
    assert len(list(root.iter("{http://www.w3.org/2000/svg}svg"))) == 3
    assert chain._repr_latex_() == (
        r"$\displaystyle \frac{\partial Z_{3}}{\partial A_{2}} \frac{\partial A_{2}}{\partial Z_{2}} "
        r"\frac{\partial Z_{2}}{\partial \Theta_{1}}$"
    )
    assert chain[0]._repr_latex_() == r"$\displaystyle \frac{\partial Z_{3}}{\partial A_{2}}$"
    assert run.chain("Z2", of="Z2")._repr_html_() == "<p>the identity</p>"
    assert chain == tuple(chain)
