import asyncio
from concurrent.futures import Future

from gembill.spool.write_request import WriteBatch, WriteKind, WriteRequest, release


def test_a_second_final_joins_the_first() -> None:
    batch, first, second = WriteBatch(), Future[int](), Future[int]()
    batch.take(WriteRequest(WriteKind.COMPLETION, "a", b"1", first), ())
    batch.take(WriteRequest(WriteKind.COMPLETION, "a", b"1", second), ())
    assert list(batch.completions) == ["a"]
    release((request, 7) for request in batch.completions.values())
    assert (first.result(0), second.result(0)) == (7, 7)


def test_an_intent_that_is_open_or_ends_in_its_batch_needs_no_row() -> None:
    batch = WriteBatch()
    for name in ("open", "ends", "withdrawn", "stays"):
        batch.take(WriteRequest(WriteKind.INTENT, name), {"open"})
    batch.take(WriteRequest(WriteKind.COMPLETION, "ends"), ())
    batch.take(WriteRequest(WriteKind.WITHDRAWAL, "withdrawn"), ())
    assert list(batch.intents) == ["stays"]
    assert sorted(request.event_id for request in batch.known) == ["ends", "open", "withdrawn"]
    assert not batch.is_empty
    assert WriteBatch().is_empty


def test_the_waiters_of_a_loop_are_resolved_with_one_call() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        waiters = [loop.create_future() for _ in range(5)]
        waiters[3].cancel()
        calls = []
        threadsafe = loop.call_soon_threadsafe

        def count(*arguments: object) -> object:
            calls.append(arguments)
            return threadsafe(*arguments)  # type: ignore[arg-type]

        loop.call_soon_threadsafe = count  # type: ignore[assignment, method-assign]
        release([(WriteRequest(WriteKind.COMPLETION, f"e{n}", b"", waiter), n) for n, waiter in enumerate(waiters)])
        done = await asyncio.gather(*waiters, return_exceptions=True)
        assert len(calls) == 1
        assert done[:3] + done[4:] == [0, 1, 2, 4]
        assert isinstance(done[3], asyncio.CancelledError)

    asyncio.run(main())


def test_a_closed_loop_is_passed_over() -> None:
    loop = asyncio.new_event_loop()
    request = WriteRequest(WriteKind.COMPLETION, "a", b"", loop.create_future())
    loop.close()
    release([(request, 1)])
    assert request.waiters == []
