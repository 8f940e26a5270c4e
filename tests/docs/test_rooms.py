"""Imports point one way, and the page that says where everything lives is what the code says."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.docs import rooms


def test_rooms_stand_on_one_another() -> None:
    level = rooms.floors(rooms.arrows())
    assert level["errors"] == 0
    assert max(level, key=lambda own: level[own]) == "cli"


def test_a_circle_is_named() -> None:
    with pytest.raises(ValueError, match="a circle of imports: a → b → a"):
        rooms.floors({"a": {"b"}, "b": {"a"}})


def test_an_arrow_that_a_longer_way_says_is_left_out() -> None:
    assert rooms.needed({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {"a": {"b"}, "b": {"c"}, "c": set()}


def test_the_picture_and_the_page_are_those_of_the_code() -> None:
    assert rooms.PICTURE.read_text(encoding="utf-8") == rooms.picture()
    text = rooms.PAGE.read_text(encoding="utf-8")
    assert text == rooms.page(text)


def test_every_room_is_drawn() -> None:
    tree = ElementTree.fromstring(rooms.picture())
    drawn = {
        e.text.removesuffix(".py")
        for e in tree.iter("{http://www.w3.org/2000/svg}text")
        if e.get("font-weight") == "bold" and e.text
    }
    assert drawn == set(rooms.arrows())
