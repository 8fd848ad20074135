from tracker.models import Person


def test_pids_are_random(db):
    assert len({Person.objects.create().pid for _ in range(20)}) == 20
