"""The explorer: two conventions side by side on one page, which needs no network and no server."""

from jacobians.explorer.page import explorer_page

__all__ = ["explorer_page"]
