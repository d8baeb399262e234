using CnnNative.Interop;
using CnnNative.Layers;
using CnnNative.Optimizers;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Devices;

/// <summary>A replayed step does what the step itself would have done, bit for bit, with random numbers, rates and step counts going on.</summary>
[TestFixture, LeakGuard]
public sealed class CapturedStepTests : IDeviceFixture
{
    private const int Batch = 4, Classes = 5, Steps = 6;
    private CudaDevice? device;

    public Device Device => Cuda;

    private CudaDevice Cuda => device ?? throw new InvalidOperationException("the fixture is not set up");

    [OneTimeSetUp]
    public void Open() => device = CudaUnderTest.Open();

    [OneTimeTearDown]
    public void Close() => device?.Dispose();

    [Test]
    public void Replays_equal_eager_steps_with_sgd() => RequireEqual(parameters => new Sgd(parameters, 0.1f, momentum: 0.9f, weightDecay: 0.01f));

    [Test]
    public void Replays_clip_gradients_like_eager_steps() => RequireEqual(parameters => new Sgd(parameters, 0.1f, momentum: 0.9f), clipNorm: 0.5f);

    [Test]
    public void Replays_equal_eager_steps_with_adam() => RequireEqual(parameters => new Adam(parameters, 0.01f));

    [Test]
    public void Captured_memory_is_lent_to_nobody_until_the_end()
    {
        using var x = Tensor.Uniform([1000], device: Cuda);
        using var y = Tensor.Empty([1000], device: Cuda);
        using (var step = Cuda.Capture(() => y.CopyFrom(Functional.Add(Functional.Relu(x), Functional.Relu(x)))))
        {
            // What the step used in between would otherwise go to these.
            using var a = Tensor.Full([1000], -7f, Cuda);
            using var b = Tensor.Full([1000], -8f, Cuda);
            step.Replay();
            Assert.That(a.ToArray<float>(), Has.All.EqualTo(-7f));
            Assert.That(b.ToArray<float>(), Has.All.EqualTo(-8f));
            Assert.That(y.ToArray<float>(), Is.EqualTo(x.ToArray<float>().Select(value => value + value)));
        }
    }

    [Test]
    public void Host_data_and_results_are_refused_inside()
    {
        using var x = Tensor.Ones([3], Cuda);
        var runs = 0;
        Assert.That(() => Cuda.Capture(() => { if (runs++ == 1) _ = x.ToArray<float>(); }), Throws.InvalidOperationException.With.Message.Contains("replay"));
        runs = 0;
        Assert.That(() => Cuda.Capture(() => { if (runs++ == 1) x.CopyFrom<float>([1, 2, 3]); }), Throws.InvalidOperationException.With.Message.Contains("replay"));
        Assert.That(x.ToArray<float>(), Is.EqualTo(new[] { 1f, 1f, 1f }), "the device works on");
    }

    [Test]
    public void The_steps_own_error_surfaces_also_where_the_recording_is_spoiled()
    {
        using var x = Tensor.Ones([3], Cuda);
        Assert.That(() => Cuda.Capture(SecondTime(() => Cuda.Synchronize())), Throws.TypeOf<CudaException>().With.Message.Contains("cuStreamSynchronize"));
        Assert.That(() => Cuda.Capture(SecondTime(() =>
        {
            Assert.That(Cuda.Synchronize, Throws.TypeOf<CudaException>());
            throw new ArithmeticException("the step's own");
        })), Throws.TypeOf<ArithmeticException>().With.Message.EqualTo("the step's own"));
        RequireUsable(x);
    }

    /// <summary>Each call of the driver within a capture fails once: the error is told, and the device captures and computes as before.</summary>
    [Test]
    public void A_capture_that_fails_anywhere_leaves_the_device_usable()
    {
        if (!Emulator.IsUsed) Assert.Ignore("failures are injected into the emulated driver");
        using var x = Tensor.Ones([3], Cuda);
        using var y = Tensor.Empty([3], device: Cuda);
        Capture();
        var first = Emulator.CallCount;
        Capture();
        var calls = Emulator.CallCount - first;
        for (ulong call = 1; call <= calls; call++)
        {
            Emulator.FailCall(call, (CudaStatus)999);
            try
            {
                Capture();
            }
            catch (CudaException error)
            {
                Assert.That(error.Status, Is.EqualTo((CudaStatus)999), error.Message);
            }
            finally
            {
                Emulator.FailCall(0, CudaStatus.Success);
            }

            RequireUsable(x);
        }

        void Capture() => Cuda.Capture(() => Cuda.Engine.Elementwise.Scale(x, 2f, y)).Dispose();
    }

    /// <summary>What a recording asks for beyond what the pool has makes the pool look for cached memory: none of it can go back then, and none may get lost.</summary>
    [Test]
    public void Cached_memory_outlives_a_recording_that_needs_more()
    {
        if (!Emulator.IsUsed) Assert.Ignore("what is alive in the driver can be counted in the emulated one only");
        using var x = Tensor.Ones([3], Cuda);
        Cuda.Memory.Trim();
        var before = Emulator.Live.Allocations;
        Tensor.Empty([30 << 20], device: Cuda).Dispose();
        Assert.That(() => Cuda.Capture(SecondTime(() => Tensor.Empty([1 << 20, 1 << 20], device: Cuda))), Throws.InstanceOf<DeviceOutOfMemoryException>());
        Assert.That(Cuda.Memory.Statistics.CachedBytes, Is.GreaterThanOrEqualTo(30L << 22));
        Cuda.Memory.Trim();
        Assert.That(Emulator.Live.Allocations, Is.EqualTo(before));
    }

    /// <summary>What is the same in every replay has nothing to bring to the device before it: one launch of the graph, and no copy.</summary>
    [Test]
    public void A_replay_without_random_numbers_and_rates_is_the_graph_alone()
    {
        if (!Emulator.IsUsed) Assert.Ignore("calls are counted by the emulated driver");
        using var x = Tensor.Ones([3], Cuda);
        using var step = Cuda.Capture(() => Cuda.Engine.Elementwise.Scale(x, 2f, x));
        var first = Emulator.CallCount;
        step.Replay();
        Assert.That(Emulator.CallCount - first, Is.EqualTo(2), "bind the context, launch the graph");
        Assert.That(x.ToArray<float>(), Has.All.EqualTo(4f));
    }

    [Test]
    public void A_disposed_step_refuses()
    {
        using var x = Tensor.Ones([3], Cuda);
        var step = Cuda.Capture(() => Cuda.Engine.Elementwise.Scale(x, 2f, x));
        step.Dispose();
        Assert.That(step.Replay, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(x.ToArray<float>(), Has.All.EqualTo(2f), "the first run counts, the recording does not");
    }

    [Test]
    public void The_cpu_has_none() => Assert.That(() => CpuDevice.Shared.Capture(() => { }), Throws.TypeOf<EngineNotSupportedException>());

    /// <summary>A step that does this only when it is recorded.</summary>
    private static Action SecondTime(Action work)
    {
        var runs = 0;
        return () =>
        {
            if (runs++ == 1) work();
        };
    }

    private void RequireUsable(Tensor x)
    {
        using var y = Tensor.Zeros([3], Cuda);
        using (var step = Cuda.Capture(() => Cuda.Engine.Elementwise.Scale(x, 3f, y))) step.Replay();
        Assert.That(y.ToArray<float>(), Is.EqualTo(x.ToArray<float>().Select(value => 3 * value)));
        Cuda.Memory.Trim();
    }

    private void RequireEqual(Func<IEnumerable<Tensor>, Optimizer> optimizer, float? clipNorm = null)
    {
        var eager = Train(optimizer, clipNorm, captured: false);
        var replayed = Train(optimizer, clipNorm, captured: true);
        Assert.That(replayed.Losses, Is.EqualTo(eager.Losses));
        Assert.That(replayed.Weights, Is.EqualTo(eager.Weights));
        Assert.That(eager.Losses.Distinct().Count(), Is.EqualTo(Steps), "the loss changes from step to step");
    }

    /// <summary>Trains a small network with everything that changes from step to step: dropout, running statistics, momentum, a falling rate.</summary>
    private (float[] Losses, float[] Weights) Train(Func<IEnumerable<Tensor>, Optimizer> makeOptimizer, float? clipNorm, bool captured)
    {
        Cuda.Random.Seed = 11;
        var model = new Sequential(
            new Conv2d(1, 3, 3, padding: 1, device: Cuda), new BatchNorm2d(3, device: Cuda), new ReLU(), new MaxPool2d(2), new Dropout(0.3f),
            new AdaptiveAvgPool2d(3), new Flatten(), new Linear(3 * 3 * 3, Classes, device: Cuda));
        using var optimizer = makeOptimizer(model.Parameters());
        using var images = Tensor.Empty([Batch, 1, 8, 8], device: Cuda);
        using var labels = Tensor.From([0L, 1L, 2L, 3L], [Batch], Cuda);
        using var loss = Tensor.Empty(Shape.Scalar, device: Cuda);
        CapturedStep? step = null;
        var losses = new float[Steps];
        for (var i = 0; i < Steps; i++)
        {
            using (var batch = Tensor.From(Enumerable.Range(0, Batch * 64).Select(k => (k * 31 + i * 17) % 13 / 13f).ToArray(), images.Shape, Cuda)) images.CopyFrom(batch);
            optimizer.LearningRate = 0.1f / (1 + i);
            if (!captured)
            {
                using var scope = Cuda.Step();
                Body();
            }
            else if (step is null) step = Cuda.Capture(Body);
            else step.Replay();

            losses[i] = loss.Item();
        }

        step?.Dispose();
        var weights = model.StateDict().Values.Where(tensor => tensor.DType == DType.Float32).SelectMany(tensor => tensor.ToArray<float>()).ToArray();
        model.DisposeParameters();
        return (losses, weights);

        void Body()
        {
            var found = Functional.CrossEntropy(model.Forward(images), labels);
            found.Backward();
            if (clipNorm is { } most) GradientClipping.ByNorm(optimizer.Parameters, most);
            optimizer.Step();
            loss.CopyFrom(found);
        }
    }
}
