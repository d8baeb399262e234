using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Interop.Tests;

/// <summary>Handles of the driver: order of disposal, many cycles, failing calls, many threads. On the emulated driver, which counts what is alive.</summary>
[TestFixture, NonParallelizable]
public sealed class HandleTests
{
    private LiveObjects before;

    [SetUp]
    public void Count()
    {
        if (!Emulator.IsUsed) Assert.Ignore("what is alive in the driver can be counted in the emulated one only");
        _ = CudaDriver.DeviceCount;
        before = Emulator.Live;
    }

    [Test]
    public void Everything_works_and_nothing_stays()
    {
        using (var scene = new Scene()) Assert.That(scene.Run(), Has.All.EqualTo(5));
        Assert.That(Emulator.Live, Is.EqualTo(before));
    }

    [Test]
    public void A_child_keeps_its_context_alive()
    {
        using var context = CudaContext.Open(CudaDriver.Device(0));
        var stream = CudaStream.Create(context);
        context.Dispose();
        Assert.That(Emulator.Live.Contexts, Is.EqualTo(before.Contexts + 1));
        stream.Synchronize();
        stream.Dispose();
        Assert.That(Emulator.Live, Is.EqualTo(before));
    }

    [Test]
    public void What_is_forgotten_is_finalised()
    {
        Forget();
        for (var round = 0; round < 20 && Emulator.Live != before; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.That(Emulator.Live, Is.EqualTo(before));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Forget() => _ = new Scene().Run();
    }

    [Test]
    public void A_disposed_handle_refuses()
    {
        using var context = CudaContext.Open(CudaDriver.Device(0));
        var stream = CudaStream.Create(context);
        stream.Dispose();
        stream.Dispose();
        Assert.That(stream.Synchronize, Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_disposed_context_that_a_stream_still_holds_works_on()
    {
        using var context = CudaContext.Open(CudaDriver.Device(0));
        var stream = CudaStream.Create(context);
        context.Dispose();
        using (var memory = DeviceMemory.Allocate(context, 64)) stream.Fill(memory.Pointer, 1, 64);
        stream.Synchronize();
        stream.Dispose();
        Assert.That(() => CudaStream.Create(context), Throws.TypeOf<ObjectDisposedException>(), "nothing holds it any more");
        Assert.That(Emulator.Live, Is.EqualTo(before));
    }

    /// <summary>The finalizer of an object whose constructor failed must not give back references that were never counted: that would end the process.</summary>
    [Test]
    public void Memory_of_a_disposed_pool_is_refused_and_finalised()
    {
        using (var context = CudaContext.Open(CudaDriver.Device(0)))
        using (var stream = CudaStream.Create(context))
        {
            var pool = CudaMemoryPool.Create(context);
            pool.Dispose();
            Refused(pool, stream);
            for (var round = 0; round < 5; round++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            stream.Synchronize();
        }

        Assert.That(Emulator.Live, Is.EqualTo(before));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Refused(CudaMemoryPool pool, CudaStream stream) =>
            Assert.That(() => DeviceMemory.Allocate(pool, stream, 100), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_hundred_thousand_cycles_leave_nothing()
    {
        using (var context = CudaContext.Open(CudaDriver.Device(0)))
        using (var stream = CudaStream.Create(context))
        using (var pool = CudaMemoryPool.Create(context))
        {
            for (var cycle = 0; cycle < 25_000; cycle++)
            {
                CudaEvent.Create(context).Dispose();
                CudaStream.Create(context).Dispose();
                DeviceMemory.Allocate(pool, stream, 4096).Dispose();
                PinnedMemory.Allocate(context, 4096).Dispose();
            }

            stream.Synchronize();
        }

        Assert.That(Emulator.Live, Is.EqualTo(before));
    }

    [Test]
    public void Sixteen_threads_at_once()
    {
        using (var shared = CudaContext.Open(CudaDriver.Device(0)))
        {
            var failures = new System.Collections.Concurrent.ConcurrentQueue<Exception>();
            var threads = Enumerable.Range(0, 16).Select(_ => new Thread(Work)).ToArray();
            foreach (var thread in threads) thread.Start();
            foreach (var thread in threads) Assert.That(thread.Join(TimeSpan.FromMinutes(2)), Is.True, "a thread hangs");
            Assert.That(failures, Is.Empty);

            void Work()
            {
                try
                {
                    for (var round = 0; round < 10; round++)
                    {
                        using var scene = new Scene();
                        if (scene.Run() is var result && result.Any(value => value != 5)) throw new InvalidOperationException($"wrong result {result[0]}");
                    }
                }
                catch (Exception error)
                {
                    failures.Enqueue(error);
                }
            }
        }

        Assert.That(Emulator.Live, Is.EqualTo(before));
    }

    [Test]
    public void A_launch_allocates_nothing()
    {
        using var scene = new Scene();
        scene.Stream.Fill(scene.Memory.Pointer, 0, Scene.Bytes);
        for (var warm = 0; warm < 100; warm++) scene.Launch();
        var bytes = GC.GetAllocatedBytesForCurrentThread();
        for (var launch = 0; launch < 1000; launch++) scene.Launch();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - bytes, Is.Zero);
        scene.Stream.Synchronize();
    }
}
