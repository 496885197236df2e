"""Where a ledger may lie: a local file system, and nobody else's eyes."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import LedgerError
from runner.ledger.filesystem import kind_of, require_local, require_private
from runner.ledger.store import Store

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /proc rw - proc proc rw
30 22 0:40 / /srv/share rw,relatime shared:9 - nfs4 files:/share rw,vers=4.2
31 22 0:41 / /srv/share/local rw - xfs /dev/sdb1 rw
32 22 0:42 / /mnt/with\\040blank rw - cifs //files/share rw
33 22 0:43 / /home/me/Cloud rw - fuse.rclone remote: rw
34 22 8:3 / /media/disk rw - fuseblk /dev/sdc1 rw
35 22 0:44 / /opt/twice rw - ext4 /dev/sdd1 rw
36 35 0:45 / /opt/twice rw - fuse.sshfs me@there:/ rw
37 22 0:46 / /mnt/host rw - virtiofs share rw
a line that is none
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/ledger.db", "ext4"), ("/srv/share/ledger.db", "nfs4"), ("/srv/share/deep/er/ledger.db", "nfs4"),
        ("/srv/share/local/ledger.db", "xfs"), ("/srv/shared/ledger.db", "ext4"),
        ("/mnt/with blank/ledger.db", "cifs"), ("/home/me/Cloud/l.db", "fuse.rclone"), ("/media/disk/l.db", "fuseblk"),
        ("/opt/twice/l.db", "fuse.sshfs"), ("/mnt/host/l.db", "virtiofs"),
    ],
)  # fmt: skip
def test_the_innermost_and_last_mounted_file_system_counts(path: str, kind: str) -> None:
    assert kind_of(Path(path), MOUNTS) == kind
    if kind in {"ext4", "xfs", "fuseblk"}:
        require_local(Path(path), MOUNTS, {})
        return
    with pytest.raises(LedgerError, match=f"file system of the kind `{kind}`") as refused:
        require_local(Path(path), MOUNTS, {})
    assert "OUTREACH_LEDGER_ANYWHERE=1" in refused.value.help
    require_local(Path(path), MOUNTS, {"OUTREACH_LEDGER_ANYWHERE": "1"})


@pytest.mark.parametrize("table", ["", "nonsense", "1 2 3 - ext4"])
def test_where_nothing_is_known_nothing_is_refused(table: str) -> None:
    require_local(Path("/srv/share/ledger.db"), table, {})


def test_a_link_to_a_share_is_a_share(tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "local").symlink_to(tmp_path / "share")
    table = f"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:9 / {tmp_path}/share rw - nfs files:/ rw\n"
    with pytest.raises(LedgerError, match="`nfs`"):
        require_local(tmp_path / "local" / "ledger.db", table, {})


def test_a_ledger_on_a_share_is_not_even_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.ledger.filesystem._mounts", lambda: f"2 1 0:9 / {tmp_path} rw - smb3 //files/s rw\n")
    path = tmp_path / "ledger.db"
    with pytest.raises(LedgerError, match="`smb3`"):
        Store.open(path)
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
@pytest.mark.parametrize("ending", ["", "-journal"])
def test_a_ledger_that_others_can_use_is_refused(tmp_path: Path, mode: int, ending: str) -> None:
    path = tmp_path / "ledger.db"
    Store.open(path).close()
    file = path.with_name(path.name + ending)
    file.touch()
    file.chmod(mode)
    for open_it in (Store.open, Store.open_read_only):
        with pytest.raises(LedgerError, match=f"has the mode {mode:04o}") as refused:
            open_it(path)
        assert refused.value.help == f"chmod 600 {file}"
    file.chmod(0o600)
    require_private(path)
    Store.open(path).close()
