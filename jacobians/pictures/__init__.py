"""Pictures of structured Jacobians: what is drawn, as inline SVG, and with matplotlib."""

from jacobians.pictures.cells import Picture, picture
from jacobians.pictures.figure import plot, plot_chain
from jacobians.pictures.labels import Axis
from jacobians.pictures.svg import chain_html, svg

__all__ = ["Axis", "Picture", "chain_html", "picture", "plot", "plot_chain", "svg"]
