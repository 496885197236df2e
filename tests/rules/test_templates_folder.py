"""The templates folder: read whole, nothing from outside, nothing too large."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.errors import FilesWrong
from runner.files import templates_folder
from runner.files.templates_folder import LARGEST_FILE, read_templates


def refusal(folder: Path) -> list[str]:
    with pytest.raises(FilesWrong) as caught:
        read_templates(folder)
    return [one.message for one in caught.value.diagnostics]


def test_names_are_relative_and_texts_are_whole(tmp_path: Path) -> None:
    (tmp_path / "sms" / "deep").mkdir(parents=True)
    (tmp_path / "a.txt").write_text("Hi {{ contact.name }}\n", encoding="utf-8")
    (tmp_path / "sms" / "deep" / "b.txt").write_bytes("\ufeffGrüße".encode())
    assert read_templates(tmp_path) == {"a.txt": "Hi {{ contact.name }}\n", "sms/deep/b.txt": "Grüße"}


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_templates(tmp_path / "templates") == {}


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.txt").write_text("x")
    (tmp_path / ".hidden").write_bytes(b"\xff")
    assert read_templates(tmp_path) == {}


def test_links_inside_are_read_and_links_that_lead_out_refused(tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "a.txt").write_text("a")
    (folder / "b.txt").symlink_to(folder / "a.txt")
    assert read_templates(folder) == {"a.txt": "a", "b.txt": "a"}
    (folder / "c.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "d").symlink_to(tmp_path)
    assert refusal(folder) == [
        "`c.txt` is a link that leads out of the templates folder",
        "`d` is a link that leads out of the templates folder",
    ]


def test_what_is_no_small_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_bytes(b"x" * (LARGEST_FILE + 1))
    (tmp_path / "latin.txt").write_bytes(b"Gr\xfc\xdfe")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere.txt")
    assert refusal(tmp_path) == [
        "`gone.txt` is not a file",
        "`large.txt` is larger than 256 KiB",
        "`latin.txt` is not UTF-8",
        "`pipe` is not a file",
    ]


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates_folder, "MOST_FILES", 3)
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text("x")
    assert len(read_templates(tmp_path)) == 3
    (tmp_path / "3.txt").write_text("x")
    assert refusal(tmp_path) == [f"there are more than 3 files in `{tmp_path.name}`"]
