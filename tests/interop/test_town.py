"""The town that others judge is one: three processes that cosign and mirror each other's logs."""

from __future__ import annotations

from typing import Any

from pellucid.statement.keys import Role
from pellucid.tlog.checkpoint import open_checkpoint
from pellucid.tlog.cosignature import cosignatures


def test_the_log_is_cosigned_by_both_centers_and_mirrored(served: Any) -> None:
    signed = open_checkpoint(served.vendor.get("/checkpoint").body, served.vendor.key(Role.LOG))
    assert signed.checkpoint.size == len(served.entries)
    witnesses = [center.key(Role.WITNESS) for center in served.centers]
    assert {item.verifier.name for item in cosignatures(signed.note, witnesses)} == {key.name for key in witnesses}
    for center in served.centers:
        mirrored = open_checkpoint(
            center.get(f"/mirror/{served.vendor.log_id}/checkpoint").body, served.vendor.key(Role.LOG)
        )
        assert mirrored.checkpoint == signed.checkpoint
