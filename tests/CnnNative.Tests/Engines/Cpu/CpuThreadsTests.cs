using CnnNative.Engines.Cpu;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Cpu;

/// <summary>The fork-join pool: every part once, errors to the caller, nested and concurrent calls, another size.</summary>
public sealed class CpuThreadsTests
{
    [Test]
    public void EveryItemIsDoneOnce([Values(1, 2, 3, 7)] int threads, [Values(0, 1, 2, 443, 100_003)] int count)
    {
        using var pool = new CpuThreads(threads);
        var done = new int[count];
        for (var round = 0; round < 20; round++) pool.For(count, 1, (first, last) =>
        {
            for (var i = first; i < last; i++) done[i]++;
        });
        Assert.That(Array.TrueForAll(done, times => times == 20), "every item in every round");
    }

    [Test]
    public void EveryPartIsDoneOnce([Values(1, 2, 5)] int threads, [Values(0, 1, 2, 1000, CpuThreads.MostParts)] int parts)
    {
        using var pool = new CpuThreads(threads);
        var done = new int[parts];
        pool.Run(parts, part => Interlocked.Increment(ref done[part]));
        Assert.That(Array.TrueForAll(done, times => times == 1), "every part once");
        Assert.That(() => pool.Run(CpuThreads.MostParts + 1, _ => { }), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void AnErrorReachesTheCallerAndThePoolGoesOn([Values(1, 3)] int threads)
    {
        using var pool = new CpuThreads(threads);
        for (var wrong = 0; wrong < 20; wrong++)
        {
            Assert.That(() => pool.Run(20, part => Fail(part == wrong)), Throws.InvalidOperationException.With.Message.EqualTo("wrong"));
        }

        var count = 0;
        pool.Run(20, _ => Interlocked.Increment(ref count));
        Assert.That(count, Is.EqualTo(20));

        static void Fail(bool fails)
        {
            if (fails) throw new InvalidOperationException("wrong");
        }
    }

    [Test]
    public void JobsMayStartJobs()
    {
        using var pool = new CpuThreads(3);
        var count = 0;
        pool.Run(10, _ => pool.Run(10, _ => pool.Run(10, _ => Interlocked.Increment(ref count))));
        Assert.That(count, Is.EqualTo(1000));
    }

    [Test]
    public void ManyUsersAtOnce()
    {
        using var pool = new CpuThreads(3);
        var users = new Task<long>[6];
        for (var user = 0; user < users.Length; user++) users[user] = Task.Run(() => Sum(pool));
        Task.WaitAll(users);
        Assert.That(users.Select(user => user.Result), Is.All.EqualTo(2000L * (500 * 499 / 2)));

        static long Sum(CpuThreads pool)
        {
            long sum = 0;
            for (var round = 0; round < 2000; round++) pool.Run(500, part => Interlocked.Add(ref sum, part));
            return sum;
        }
    }

    [Test]
    public void WorkersWakeAfterALongPause()
    {
        using var pool = new CpuThreads(4);
        for (var round = 0; round < 5; round++)
        {
            Thread.Sleep(20);
            // Only with all four threads inside does the barrier open.
            using var all = new Barrier(4);
            pool.Run(4, _ => Assert.That(all.SignalAndWait(TimeSpan.FromSeconds(30))));
        }
    }

    [Test]
    public void TheSizeCanBeSet()
    {
        using var device = new CpuDevice(2);
        var engine = (CpuEngine)device.Engine;
        foreach (var threads in (int[])[4, 1, 3])
        {
            engine.Threads = threads;
            Assert.That(device.Threads, Is.EqualTo(threads));
            using var ones = Tensor.Ones([443, 97], device);
            using var sum = Tensor.Zeros(Shape.Scalar, device);
            engine.Elementwise.Sum(ones, sum);
            Assert.That(sum.Item(), Is.EqualTo(443 * 97));
        }

        Assert.That(() => engine.Threads = 0, Throws.InstanceOf<ArgumentOutOfRangeException>());
    }
}
