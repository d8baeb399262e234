using NUnit.Framework;

namespace CnnNative.Tests.Devices;

/// <summary>The pool over a backend that can run out: reuse, statistics, collection of forgotten tensors, and the error.</summary>
public sealed class MemoryPoolTests
{
    private const int Megabyte = 1 << 20;

    [Test]
    public void AFreedBlockIsUsedAgain()
    {
        var pool = new MemoryPool(new TinyMemory(Megabyte));
        for (var i = 0; i < 100; i++) pool.Return(pool.Take(1000), finalized: false);
        var statistics = pool.Statistics;
        Assert.That(statistics.BackendAllocations, Is.EqualTo(1));
        Assert.That(statistics.LiveBytes, Is.Zero);
        Assert.That(statistics.CachedBytes, Is.EqualTo(statistics.PeakLiveBytes).And.InRange(1000, 1125));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(255)]
    [TestCase(257)]
    [TestCase(443)]
    [TestCase(65537)]
    [TestCase(1_000_003)]
    public void ABlockIsAtLeastAsLargeAsAskedAndAlignedAndAtMostAnEighthLarger(long bytes)
    {
        var pool = new MemoryPool(new TinyMemory(2 * Megabyte));
        var block = pool.Take(bytes);
        Assert.That(block.Size, Is.GreaterThanOrEqualTo(bytes).And.LessThanOrEqualTo(Math.Max(256, bytes * 9 / 8)));
        Assert.That((long)block.Address % 64, Is.Zero);
        pool.Return(block, finalized: false);
        pool.Trim();
    }

    [Test]
    public void CachedMemoryIsGivenBackBeforeTheErrorOfTooLittle()
    {
        var memory = new TinyMemory(Megabyte);
        var pool = new MemoryPool(memory);
        pool.Return(pool.Take(700_000), finalized: false);
        var large = pool.Take(900_000);
        Assert.That(memory.Allocated, Is.EqualTo(large.Size));
        pool.Return(large, finalized: false);
        pool.Trim();
        Assert.That(memory.Allocated, Is.Zero);
    }

    [Test]
    public void TooLittleMemoryIsAnErrorWithFiguresAndHolders()
    {
        var pool = new MemoryPool(new TinyMemory(Megabyte)) { TrackCreation = true };
        var held = pool.Take(600_000);
        var error = Assert.Throws<DeviceOutOfMemoryException>(() => pool.Take(600_000))!;
        Assert.That(error.RequestedBytes, Is.EqualTo(600_000));
        Assert.That(error.Statistics.LiveBytes, Is.EqualTo(held.Size));
        Assert.That(error.Message, Does.Contain("tiny").And.Contain("600,000").And.Contain(nameof(TooLittleMemoryIsAnErrorWithFiguresAndHolders)));
        pool.Return(held, finalized: false);
        pool.Return(pool.Take(600_000), finalized: false);
    }

    [Test]
    public void WithoutPlacesTheErrorTellsTheSizesThatHoldMost()
    {
        var pool = new MemoryPool(new TinyMemory(Megabyte));
        var held = ((int[])[256, 300_000, 256, 300_000, 1024]).Select(bytes => pool.Take(bytes)).ToList();
        pool.Return(held[4], finalized: false);
        var error = Assert.Throws<DeviceOutOfMemoryException>(() => pool.Take(900_000))!;
        Assert.That(error.Message, Does.EndWith($"held by:\n{2 * held[1].Size:N0} bytes in 2 blocks of {held[1].Size:N0} bytes\n512 bytes in 2 blocks of 256 bytes\n"));
    }

    /// <summary>More than the live bytes at which forgotten tensors are collected: that is no reason to refuse it.</summary>
    [Test]
    public void OneBlockMayBeLargerThanThePoolsPatience()
    {
        var pool = new MemoryPool(new TinyMemory(4L << 30));
        var large = pool.Take(1L << 30);
        Assert.That(large.Size, Is.EqualTo(1L << 30));
        pool.Return(large, finalized: false);
        pool.Trim();
    }

    [Test]
    public void CachedBlocksStayWhereTheyCannotBeGivenBackNow()
    {
        var memory = new TinyMemory(Megabyte) { CanFree = false };
        var pool = new MemoryPool(memory);
        pool.Return(pool.Take(256), finalized: false);
        pool.Trim();
        Assert.That((memory.Allocated, pool.Statistics.CachedBytes), Is.EqualTo((256, 256)));
        Assert.Throws<DeviceOutOfMemoryException>(() => pool.Take(2 * Megabyte));
        memory.CanFree = true;
        pool.Trim();
        Assert.That((memory.Allocated, pool.Statistics.CachedBytes), Is.EqualTo((0, 0)));
    }

    [Test]
    public void ThePeakStartsAgainFromWhatIsLive()
    {
        var pool = new MemoryPool(new TinyMemory(Megabyte));
        var (small, large) = (pool.Take(256), pool.Take(512));
        pool.Return(large, finalized: false);
        Assert.That(pool.Statistics.PeakLiveBytes, Is.EqualTo(768));
        pool.ResetPeak();
        Assert.That(pool.Statistics.PeakLiveBytes, Is.EqualTo(256));
        pool.Return(small, finalized: false);
    }

    [Test]
    public void TheLeakReportSumsByPlaceLargestFirst()
    {
        var pool = new MemoryPool(new TinyMemory(Megabyte)) { TrackCreation = true };
        var blocks = Enumerable.Range(0, 3).Select(_ => Small(pool)).Append(Large(pool)).ToArray();
        var lines = pool.LeakReport().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.Length.EqualTo(2));
        Assert.That(lines[0], Does.Contain(nameof(Large)).And.Contain("1 tensors"));
        Assert.That(lines[1], Does.Contain(nameof(Small)).And.Contain("3 tensors"));
        foreach (var block in blocks) pool.Return(block, finalized: false);
        Assert.That(pool.LeakReport(), Is.Empty);
    }

    [Test]
    public void ManyThreadsShareAPool()
    {
        var pool = new MemoryPool(new TinyMemory(64 * Megabyte));
        Parallel.For(0, 8, worker =>
        {
            for (var i = 0; i < 500; i++)
            {
                var block = pool.Take(1 + (worker * 7919 + i * 104729) % 5000);
                unsafe
                {
                    *(long*)block.Address = worker;
                    Thread.SpinWait(10);
                    Assert.That(*(long*)block.Address, Is.EqualTo(worker), "a block belongs to one holder at a time");
                }

                pool.Return(block, finalized: false);
            }
        });
        Assert.That(pool.Statistics.LiveBytes, Is.Zero);
        Assert.That(pool.Statistics.LiveBlocks, Is.Zero);
    }

    private static MemoryPool.Block Small(MemoryPool pool) => pool.Take(256);

    private static MemoryPool.Block Large(MemoryPool pool) => pool.Take(4096);

    [Test]
    public void Reserved_blocks_come_back_only_when_the_reservation_ends()
    {
        var pool = new MemoryPool(new TinyMemory(1 << 20));
        var reservation = pool.OpenReservation();
        var block = pool.Take(1000);
        pool.Return(block, finalized: false);
        Assert.That(pool.Take(1000).Address, Is.EqualTo(block.Address), "within the reservation it is used again");
        pool.CloseReservation();
        pool.Return(block, finalized: false);
        var other = pool.Take(1000);
        Assert.That(other.Address, Is.Not.EqualTo(block.Address), "nobody else gets it");
        Assert.That(pool.Statistics.LiveBlocks, Is.EqualTo(2));

        pool.EndReservation(reservation);
        Assert.That(pool.Statistics.LiveBlocks, Is.EqualTo(1));
        Assert.That(pool.Take(1000).Address, Is.EqualTo(block.Address));
    }
}
