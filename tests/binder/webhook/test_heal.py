"""One pass after another over an API server in memory: what is written, and what is served."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from binder.cluster.api import Failed
from binder.webhook import secret
from binder.webhook.brake import Brake
from binder.webhook.certificates import Material, Pair, fresh, trusts
from binder.webhook.configuration import VERSION_ANNOTATION
from binder.webhook.heal import FilesError
from tests.binder.webhook.fake import OPTIONS, SECRET, START, Clock, FakeCluster, Replica

OTHER = fresh(OPTIONS.names, START, OPTIONS.lifetime)
OTHER_NAME = fresh(("other.svc",), START, OPTIONS.lifetime)
EXPIRED = fresh(OPTIONS.names, START, -1.0)


class Stage:
    """A cluster, a clock and one replica that has healed."""

    def __init__(self) -> None:
        self.cluster, self.clock = FakeCluster(), Clock()
        self.replica = self.another()
        self.settle()

    def another(self, **options: Any) -> Replica:
        return Replica(self.cluster, self.clock, OPTIONS._replace(**options))

    def heal(self, replica: Replica | None = None) -> float:
        return asyncio.run((replica or self.replica).healer.heal())

    def settle(self, *others: Replica) -> None:
        """Passes until nobody writes; then the log of writes is empty."""
        for _ in range(10):
            self.cluster.writes.clear()
            for each in (self.replica, *others):
                self.heal(each)
            if not self.cluster.writes:
                return
        raise AssertionError(f"they still write: {self.cluster.writes}")

    @property
    def is_in_order(self) -> bool:
        bundle = self.cluster.bundle
        return bundle == self.cluster.material.bundle and trusts(bundle, self.replica.serves)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_at_first_it_makes_everything_and_then_writes_nothing(stage: Stage) -> None:
    assert stage.is_in_order
    assert stage.replica.healed("secret-missing") == 1
    assert stage.replica.healed("configuration-missing") == 1
    assert stage.replica.served == [stage.cluster.material.pairs[0]]
    assert stage.heal() == OPTIONS.resync
    assert not stage.cluster.writes


def empty_the_bundle(cluster: FakeCluster) -> None:
    cluster.set_bundle("")


def lose_the_bundle(cluster: FakeCluster) -> None:
    del cluster.hook["clientConfig"]["caBundle"]


def trust_somebody_else(cluster: FakeCluster) -> None:
    cluster.set_bundle(OTHER.bundle)


def delete_the_configuration(cluster: FakeCluster) -> None:
    cluster.objects = {SECRET.path: cluster.objects[SECRET.path]}


def delete_the_webhook(cluster: FakeCluster) -> None:
    cluster.configuration["webhooks"] = None


def edit_the_policy(cluster: FakeCluster) -> None:
    cluster.hook["failurePolicy"] = "Fail"


def turn_it_elsewhere(cluster: FakeCluster) -> None:
    cluster.hook["clientConfig"] = {"url": "https://example.com"}


def add_a_condition(cluster: FakeCluster) -> None:
    cluster.hook["matchConditions"] = [{"name": "never", "expression": "false"}]


def delete_the_secret(cluster: FakeCluster) -> None:
    cluster.put_secret(None)


def empty_the_secret(cluster: FakeCluster) -> None:
    cluster.objects[SECRET.path]["data"] = None


def mix_up_the_key(cluster: FakeCluster) -> None:
    pair = cluster.material.pairs[0]._replace(key=OTHER.pairs[0].key)
    cluster.put_secret(cluster.material._replace(pairs=(pair,)))


def store_another_name(cluster: FakeCluster) -> None:
    cluster.put_secret(OTHER_NAME)


def store_what_has_expired(cluster: FakeCluster) -> None:
    cluster.put_secret(EXPIRED)


def make_it_immutable(cluster: FakeCluster) -> None:
    cluster.objects[SECRET.path] |= {"immutable": True, "data": {}}


DAMAGE: dict[Callable[[FakeCluster], None], str] = {
    empty_the_bundle: "bundle",
    lose_the_bundle: "bundle",
    trust_somebody_else: "bundle",
    delete_the_configuration: "configuration-missing",
    delete_the_webhook: "configuration-edited",
    edit_the_policy: "configuration-edited",
    turn_it_elsewhere: "configuration-edited",
    add_a_condition: "configuration-edited",
    delete_the_secret: "secret-missing",
    empty_the_secret: "secret-corrupt",
    mix_up_the_key: "secret-corrupt",
    store_another_name: "certificate-names",
    store_what_has_expired: "certificate-expired",
    make_it_immutable: "secret-corrupt",
}


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_damage_is_mended_and_the_certificate_stays(
    damage: Callable[[FakeCluster], None], stage: Stage
) -> None:
    before = stage.cluster.material
    counted = stage.replica.healed(DAMAGE[damage])
    damage(stage.cluster)
    stage.heal()
    assert stage.is_in_order
    assert stage.cluster.material == before
    assert len(stage.replica.served) == 1
    assert stage.replica.healed(DAMAGE[damage]) == counted + 1
    assert not stage.replica.healer.why_not_ready


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_damage_that_is_there_at_the_start_is_mended_too(
    damage: Callable[[FakeCluster], None], stage: Stage
) -> None:
    damage(stage.cluster)
    stage.replica = stage.another()
    stage.heal()
    assert stage.is_in_order
    assert not stage.replica.healer.why_not_ready


def test_a_new_certificate_is_served_only_after_its_bundle_has_settled(stage: Stage) -> None:
    old = stage.replica.serves
    stage.clock.seconds = OPTIONS.lifetime * 0.67
    assert stage.heal() == OPTIONS.settle
    new = stage.cluster.material.pairs[0]
    assert new != old
    assert stage.replica.healed("rotation") == 1
    assert stage.replica.serves == old
    assert trusts(stage.cluster.bundle, new)
    stage.clock.seconds += OPTIONS.settle
    stage.heal()
    assert stage.replica.serves == new
    assert trusts(stage.cluster.bundle, old)


def test_it_wakes_for_the_rotation(stage: Stage) -> None:
    stage.clock.seconds = OPTIONS.lifetime * 2 / 3 - 1
    assert stage.heal() == pytest.approx(1)


def test_a_replica_that_starts_in_a_rotation_serves_what_is_trusted_already(stage: Stage) -> None:
    old = stage.replica.serves
    stage.clock.seconds = OPTIONS.lifetime * 0.67
    stage.heal()
    late = stage.another()
    stage.heal(late)
    assert late.serves == old
    stage.clock.seconds += OPTIONS.settle
    stage.heal(late)
    assert late.serves == stage.cluster.material.pairs[0]


def test_a_former_certificate_that_has_expired_is_served_by_nobody(stage: Stage) -> None:
    stage.clock.seconds = OPTIONS.lifetime * 0.67
    stage.heal()
    stage.clock.seconds = OPTIONS.lifetime * 1.01
    late = stage.another()
    stage.heal(late)
    assert late.served == [stage.cluster.material.pairs[0]]


def test_while_the_bundle_cannot_be_written_the_old_certificate_is_served(stage: Stage) -> None:
    old = stage.replica.serves
    stage.clock.seconds = OPTIONS.lifetime * 0.67

    def fail() -> None:
        raise Failed("the API server is away")

    def write_the_secret() -> None:
        stage.cluster.before = fail  # at the next write, which is the bundle

    stage.cluster.before = write_the_secret
    with pytest.raises(Failed):
        stage.heal()
    assert stage.cluster.material.pairs[1] == old
    stage.clock.seconds += OPTIONS.settle * 2
    stage.heal()
    assert stage.replica.serves == old
    stage.clock.seconds += OPTIONS.settle
    stage.heal()
    assert stage.replica.serves == stage.cluster.material.pairs[0]


def test_people_can_ask_for_a_rotation(stage: Stage) -> None:
    old = stage.replica.serves
    stage.cluster.objects[SECRET.path]["metadata"]["annotations"] = {secret.ROTATE: "now"}
    stage.settle()
    assert stage.cluster.material.pairs[1] == old
    assert stage.replica.healed("rotation") == 1


def test_valid_certificates_of_somebody_else_are_taken(stage: Stage) -> None:
    stage.cluster.put_secret(OTHER)
    stage.heal()
    assert stage.is_in_order
    assert stage.replica.serves == OTHER.pairs[0]


def test_two_replicas_agree_in_any_order(stage: Stage) -> None:
    other = stage.another()
    stage.settle(other)
    for damage in DAMAGE:
        damage(stage.cluster)
        stage.heal(other)
        stage.settle(other)
        assert stage.is_in_order
        assert other.serves == stage.replica.serves


@pytest.mark.parametrize("first", [None, OTHER_NAME], ids=["no Secret", "a wrong one"])
def test_the_slower_of_two_replicas_takes_what_the_faster_wrote(first: Material | None) -> None:
    cluster, clock = FakeCluster(), Clock()
    cluster.put_secret(first)
    slow = Replica(cluster, clock)
    cluster.before = lambda: cluster.put_secret(OTHER)
    assert asyncio.run(slow.healer.heal()) < 1
    assert cluster.material == OTHER
    asyncio.run(slow.healer.heal())
    assert slow.served == [OTHER.pairs[0]]


def test_a_bundle_is_never_turned_back_by_a_replica_that_looked_earlier(stage: Stage) -> None:
    """It has read the configuration; meanwhile another one rotates and writes its bundle."""
    other = stage.another()
    stage.settle(other)
    stage.cluster.set_bundle("")

    def rotate() -> None:
        stage.cluster.objects[SECRET.path]["metadata"]["annotations"] = {secret.ROTATE: "now"}
        stage.heal(other)

    stage.cluster.before = lambda: threaded(rotate)
    assert stage.heal() < 1
    assert len(stage.cluster.material.pairs) == 2
    assert stage.cluster.bundle == stage.cluster.material.bundle


def threaded(call: Callable[[], None]) -> None:
    """In a thread, for it has an event loop of its own."""
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def test_a_secret_that_goes_away_while_it_is_written_is_made_anew(stage: Stage) -> None:
    before = stage.cluster.material
    mix_up_the_key(stage.cluster)
    stage.cluster.before = lambda: stage.cluster.put_secret(None)
    stage.heal()
    assert stage.cluster.material == before


def test_a_newer_version_is_left_alone_but_for_its_bundle(stage: Stage) -> None:
    stage.cluster.configuration["metadata"]["annotations"][VERSION_ANNOTATION] = "99"
    stage.cluster.hook["timeoutSeconds"] = 9
    stage.heal()
    assert not stage.cluster.writes
    stage.cluster.set_bundle("")
    stage.heal()
    assert stage.cluster.writes == ["merge mutatingwebhookconfigurations"]
    assert stage.cluster.hook["timeoutSeconds"] == 9
    assert stage.is_in_order


def test_it_writes_less_often_when_somebody_else_keeps_undoing_it(stage: Stage) -> None:
    for _ in range(OPTIONS.writes * 2):
        stage.cluster.set_bundle("")
        wait = stage.heal()
    assert len(stage.cluster.writes) < OPTIONS.writes
    assert 0 < wait <= 1
    stage.clock.seconds += wait
    stage.heal()
    assert stage.is_in_order


def test_a_brake_refills() -> None:
    brake = Brake(2)
    assert [brake.wait(at) for at in (100, 100, 100, 101, 101)] == [0, 0, 1, 0, 1]


def test_without_an_api_server_it_goes_on_serving(stage: Stage) -> None:
    stage.cluster.broken = True
    with pytest.raises(Failed):
        stage.heal()
    assert not stage.replica.healer.why_not_ready
    stage.clock.seconds = OPTIONS.lifetime - 99
    assert stage.replica.healer.why_not_ready == "the certificate has 99 s left"


def test_before_the_first_pass_it_is_not_ready(stage: Stage) -> None:
    assert stage.another().healer.why_not_ready == "no certificate yet"


def test_what_is_refused_is_logged_and_tried_again(
    stage: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 7:
            raise asyncio.CancelledError

    monkeypatch.setattr("binder.webhook.heal.asyncio.sleep", sleep)
    stage.cluster.broken = True
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(stage.replica.healer.run())
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert "the API server is away; again in 30 s" in caplog.text


# Certificates of somebody else, in files.


def keep(folder: Path, pair: Pair) -> None:
    (folder / "tls.crt").write_text(pair.certificate, encoding="utf-8")
    (folder / "tls.key").write_text(pair.key, encoding="utf-8")


def test_certificates_of_a_folder_are_served_and_no_secret_is_touched(tmp_path: Path) -> None:
    stage = Stage()
    stage.cluster.objects.clear()
    replica = stage.another(certificates=str(tmp_path), inject_ca_from="own/web")
    keep(tmp_path, OTHER.pairs[0])
    stage.heal(replica)
    assert stage.cluster.writes == ["apply mutatingwebhookconfigurations"]
    assert "caBundle" not in stage.cluster.hook["clientConfig"]
    assert "does not trust" in replica.healer.why_not_ready
    stage.cluster.set_bundle(OTHER.bundle)  # cert-manager has come by
    stage.heal(replica)
    assert not replica.healer.why_not_ready
    assert len(stage.cluster.writes) == 1


def test_a_new_file_is_served_once_its_bundle_is_there(tmp_path: Path) -> None:
    stage = Stage()
    replica = stage.another(certificates=str(tmp_path))
    keep(tmp_path, OTHER.pairs[0])
    stage.cluster.set_bundle(OTHER.bundle)
    stage.heal(replica)
    new = fresh(OPTIONS.names, START, OPTIONS.lifetime)
    keep(tmp_path, new.pairs[0])
    stage.heal(replica)
    assert replica.serves == OTHER.pairs[0]
    stage.cluster.set_bundle(new.bundle)
    stage.heal(replica)
    assert replica.serves == new.pairs[0]


@pytest.mark.parametrize(
    ("pair", "why"),
    [
        (None, "No such file"),
        (Pair("no", "no"), "do not fit"),
        (OTHER.pairs[0]._replace(key=OTHER_NAME.pairs[0].key), "do not fit"),
        (OTHER_NAME.pairs[0], "is not for tke-direct-webhook.own.svc"),
    ],
)
def test_files_that_cannot_be_used_are_named(
    pair: Pair | None, why: str, tmp_path: Path, stage: Stage
) -> None:
    if pair:
        keep(tmp_path, pair)
    with pytest.raises(FilesError, match=why):
        stage.heal(stage.another(certificates=str(tmp_path)))
