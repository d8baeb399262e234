using System.Collections.Concurrent;
using CnnNative.Engines.Native;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Devices;

/// <summary>A device of the CUDA driver: copies, memory, errors.</summary>
[TestFixture, LeakGuard]
public sealed class CudaDeviceTests : IDeviceFixture
{
    private CudaDevice? device;

    public Device Device => Cuda;

    private CudaDevice Cuda => device ?? throw new InvalidOperationException("the fixture is not set up");

    [OneTimeSetUp]
    public void Open() => device = CudaUnderTest.Open();

    [OneTimeTearDown]
    public void Close() => device?.Dispose();

    // The staging pieces hold 4 MiB each: a part, exactly one, and many with a tail.
    [TestCase(1)]
    [TestCase(443)]
    [TestCase(1 << 20)]
    [TestCase((3 << 20) + 5)]
    public void What_goes_there_comes_back(int count)
    {
        var elements = new float[count];
        for (var i = 0; i < count; i++) elements[i] = i * 0.5f;
        using var tensor = Tensor.From(elements, [count], Cuda);
        Assert.That(tensor.ToArray<float>(), Is.EqualTo(elements));
    }

    [Test]
    public void Tensors_move_between_devices()
    {
        using var host = Tensor.From([1f, 2f, 3f], [3], CpuDevice.Shared);
        using var there = host.To(Cuda);
        using var back = there.To(CpuDevice.Shared);
        Assert.That(back.ToArray<float>(), Is.EqualTo(new[] { 1f, 2f, 3f }));
    }

    [Test]
    public void Running_out_of_memory_says_how_much_there_is()
    {
        var error = Assert.Throws<GpuOutOfMemoryException>(() => Tensor.Empty([1 << 20, 1 << 20], device: Cuda))!;
        Assert.That(error.Message, Does.Contain("cuda:0").And.Contain("4,398,046,511,104"));
        Assert.That(error.TotalBytes, Is.EqualTo(Cuda.Info.TotalBytes));
        Assert.That(error.FreeBytes, Is.GreaterThan(0).And.LessThanOrEqualTo(error.TotalBytes));
    }

    /// <summary>The driver's own pool keeps what is freed: it has to be told.</summary>
    [Test]
    public void Trimmed_memory_is_free_on_the_device()
    {
        const long bytes = 64 << 20;
        var context = ((NativeEngine)Cuda.Engine).Context.Stream.Context;
        Cuda.Memory.Trim();
        var before = context.MemoryInfo().Free;
        Tensor.Empty([(int)bytes / sizeof(float)], device: Cuda).Dispose();
        Assert.That(context.MemoryInfo().Free, Is.LessThanOrEqualTo(before - bytes));
        Cuda.Memory.Trim();
        Assert.That(context.MemoryInfo().Free, Is.EqualTo(before));
        Assert.That(Cuda.Memory.Statistics.CachedBytes, Is.Zero);
    }

    [Test]
    public void Sixteen_threads_share_a_device()
    {
        var expected = Convolve(0);
        var failures = new ConcurrentQueue<string>();
        var threads = Enumerable.Range(0, 16).Select(_ => new Thread(Work)).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) Assert.That(thread.Join(TimeSpan.FromMinutes(2)), Is.True, "a thread hangs");
        Assert.That(failures, Is.Empty);

        void Work()
        {
            try
            {
                for (var round = 0; round < 3; round++)
                {
                    if (!Convolve(round).SequenceEqual(expected)) failures.Enqueue("other numbers than alone");
                }
            }
            catch (Exception error)
            {
                failures.Enqueue(error.ToString());
            }
        }
    }

    /// <summary>The gradient of a filter behind batch normalisation and pooling; the round moves only where memory lies.</summary>
    private float[] Convolve(int round)
    {
        using var scope = Cuda.Step();
        _ = Tensor.Empty([1 + 1000 * round], device: Cuda);
        var x = Tensor.From(Enumerable.Range(0, 2 * 4 * 8 * 8).Select(i => i % 17 / 17f).ToArray(), [2, 4, 8, 8], Cuda);
        var w = Tensor.From(Enumerable.Range(0, 4 * 4 * 9).Select(i => i % 13 / 13f).ToArray(), [4, 4, 3, 3], Cuda);
        w.RequiresGrad = true;
        var y = Functional.MaxPool2d(Functional.BatchNorm(Functional.Conv2d(x, w, padding: 1), null, null, training: true), 2);
        y.Backward(Tensor.Ones(y.Shape, Cuda));
        return w.Grad!.ToArray<float>();
    }

    [Test]
    public void A_second_round_asks_the_driver_for_nothing()
    {
        for (var round = 0; round < 2; round++)
        {
            var before = Cuda.Memory.Statistics.BackendAllocations;
            using (var a = Tensor.Empty([1000, 77], device: Cuda)) Assert.That(a.Count, Is.EqualTo(77_000));
            if (round == 1) Assert.That(Cuda.Memory.Statistics.BackendAllocations, Is.EqualTo(before));
        }
    }
}
