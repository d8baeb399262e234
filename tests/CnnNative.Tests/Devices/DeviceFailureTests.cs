using CnnNative.Interop;
using CnnNative.Layers;
using CnnNative.Optimizers;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Devices;

/// <summary>The life of a device, each call of the driver failing once: the failure is told, and nothing stays but what the driver refused to take back.</summary>
[TestFixture, NonParallelizable]
public sealed class DeviceFailureTests
{
    private const CudaStatus Injected = (CudaStatus)999;

    [Test]
    public void Each_call_may_fail_once()
    {
        if (!Emulator.IsUsed) Assert.Ignore("failures are injected into the emulated driver");
        // Held meanwhile, so that what a refused release leaves does not go with the context unseen.
        using var context = CudaContext.Open(CudaDriver.Device(0));
        Live();
        var first = Emulator.CallCount;
        Live();
        var calls = Emulator.CallCount - first;
        Assert.That(calls, Is.GreaterThan(100ul));
        var (step, thrown, tried) = ((ulong)Switches.Rows(ordinary: 9, full: 1), 0, 0);
        for (ulong call = 1; call <= calls; call += step, tried++)
        {
            if (Fails(context, call, calls)) thrown++;
        }

        Assert.That(thrown, Is.GreaterThan(tried / 2), "most calls are no releases");
        Live();
    }

    /// <summary>Lives with one call failing; whether that was told by an exception.</summary>
    private static bool Fails(CudaContext context, ulong call, ulong calls)
    {
        var (before, refused) = (Emulator.Live.Objects, RefusedRelease.All.Count);
        CudaException? told = null;
        Emulator.FailCall(call, Injected);
        try
        {
            Live();
        }
        catch (CudaException error)
        {
            told = error;
            Assert.That(error.Status, Is.EqualTo(Injected), error.Message);
        }
        finally
        {
            Emulator.FailCall(0, CudaStatus.Success);
        }

        Collect(context);
        refused = RefusedRelease.All.Count - refused;
        Assert.That(told is not null || refused > 0, $"call {call} of {calls} failed in silence");
        Assert.That(Emulator.Live.Objects - before, Is.LessThanOrEqualTo(refused), $"call {call} of {calls}, {told?.Call}: {Emulator.Live}");
        return told is not null;
    }

    /// <summary>Opens a device, trains launch by launch and as a graph, reads the result, and closes everything.</summary>
    private static void Live()
    {
        using var device = CudaDevice.Open();
        var model = new Sequential(new Linear(8, 4, device: device), new Dropout(0.3f), new Linear(4, 3, device: device));
        try
        {
            using var optimizer = new Sgd(model.Parameters(), 0.1f, momentum: 0.9f);
            using var rows = Tensor.From(new float[16], [2, 8], device);
            using var labels = Tensor.From([0L, 1L], [2], device);
            using (device.Step()) Body();
            using var step = device.Capture(Body);
            step.Replay();
            device.Memory.Trim();
            _ = rows.ToArray<float>();

            void Body()
            {
                Functional.CrossEntropy(model.Forward(rows), labels).Backward();
                optimizer.Step();
            }
        }
        finally
        {
            model.DisposeParameters();
        }
    }

    /// <summary>Finalises what was forgotten, and waits until what goes back in the order of a stream is back: freeing outside of streams does.</summary>
    private static void Collect(CudaContext context)
    {
        for (var round = 0; round < 2; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        DeviceMemory.Allocate(context, 256).Dispose();
    }
}
