"""What is printed, on terminals of other languages and where there is none."""

import io
import sys

import pytest

from napari_simpleclick.commands.console import say


@pytest.mark.parametrize("encoding", ["ascii", "cp932", "gbk", "cp1251", "utf-8"])
@pytest.mark.parametrize("text", ["1215 voxels, 2 mm\u00b3", "m\u00e4sk-\udcff.nii.gz"])
def test_characters_that_the_terminal_lacks_are_written_out(
    encoding, text, monkeypatch
):
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding, newline="\n")
    monkeypatch.setattr(sys, "stdout", stream)
    say(text)
    say("done")
    stream.flush()
    expected = f"{text}\ndone\n".encode(encoding, "backslashreplace")
    assert written.getvalue() == expected


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_without_a_terminal_nothing_fails(stream, monkeypatch):
    monkeypatch.setattr(sys, "stdout", stream)
    say("2 mm\u00b3")
    assert stream is None or stream.getvalue() == "2 mm\u00b3\n"
