using System.Reflection;
using System.Text;
using CnnNative.TestKit;
using NUnit.Framework;
using RawDriver = CnnNative.Interop.Raw.Driver;

namespace CnnNative.Interop.Tests;

/// <summary>
/// Every function of the driver that the raw layer imports fails at each of its calls in turn. The failure is told, by an exception or, where a release was
/// refused, in the list of those; nothing else is lost. A function that is imported and that no call here reaches fails its test.
/// </summary>
[TestFixture, NonParallelizable]
public sealed unsafe class FailureTests
{
    private const CudaStatus Injected = (CudaStatus)999;

    private static readonly byte[] Cluster = Encoding.ASCII.GetBytes(
        ".version 8.3\n.target sm_90\n.address_size 64\n.visible .entry nothing()\n{\n  ret;\n}\n");

    /// <summary>All but cuInit, which is called once in a process: DoctorTests of the program let it fail.</summary>
    private static IEnumerable<string> Functions() => typeof(RawDriver).GetMethods(BindingFlags.Static | BindingFlags.Public)
        .Select(method => method.Name).Where(name => name.StartsWith("cu", StringComparison.Ordinal) && name != nameof(RawDriver.cuInit)).Order(StringComparer.Ordinal);

    [SetUp]
    public void RequireTheEmulatedDriver()
    {
        if (!Emulator.IsUsed) Assert.Ignore("failures are injected into the emulated driver");
        _ = CudaDriver.DeviceCount;
    }

    [TestCaseSource(nameof(Functions))]
    public void A_failure_is_told_and_nothing_is_lost(string function)
    {
        for (ulong call = 1; ; call++)
        {
            var (before, refused) = (Emulator.Live.Objects, RefusedRelease.All.Count);
            Emulator.FailFunction(function, call, Injected);
            CudaException? told = null;
            ulong waiting;
            try
            {
                UseEverything();
            }
            catch (CudaException error)
            {
                told = error;
            }
            finally
            {
                waiting = Emulator.FailFunction("", 0, CudaStatus.Success);
            }

            if (waiting > 0)
            {
                Assert.That((call, told), Is.EqualTo((Math.Max(2, call), (CudaException?)null)), $"{function} is called {call - 1} times");
                return;
            }

            refused = RefusedRelease.All.Count - refused;
            if (told is not null) Assert.That((told.Call, told.Status), Is.EqualTo((function, Injected)), told.Message);
            else if (!function.StartsWith("cuGetError", StringComparison.Ordinal)) Assert.That(refused, Is.Positive, $"call {call} failed in silence");
            // What is left in the context goes with it.
            if (refused > 0) Assert.That(PrimaryContext.Reset(), Is.EqualTo(CudaStatus.Success));
            Assert.That(Emulator.Live.Objects - before, Is.LessThanOrEqualTo(refused), $"after call {call}: {Emulator.Live}");
        }
    }

    [Test]
    public void A_status_that_the_driver_cannot_name_is_told_as_a_number()
    {
        using var scene = new Scene();
        Emulator.FailFunction(nameof(RawDriver.cuGetErrorName), 1, Injected);
        var error = Assert.Throws<CudaException>(() => scene.Module.Function("absent"))!;
        Assert.That(error.Message, Does.StartWith("cuModuleGetFunction: status 500, which this driver does not name"));
    }

    /// <summary>Calls every imported function at least once.</summary>
    private static void UseEverything()
    {
        using var scene = new Scene();
        Assert.That(scene.Run(), Has.All.EqualTo(5));
        _ = CudaDriver.Version;
        _ = scene.Context.MemoryInfo();
        _ = scene.Increment.BlocksPerMultiprocessor(Scene.Threads, 0);
        CountNodes(scene);
        CopyAcross(scene);
        Time(scene);
        EncodeMaps(scene);
        using var module = CudaModule.Load(scene.Context, "nothing", Cluster);
        module.Function("nothing").Launch(scene.Stream, new LaunchConfiguration(2, 1) { Cluster = 2 }, null);
        scene.Stream.Synchronize();
        scene.Pool.Trim();
        Describe(scene);
    }

    private static void CountNodes(Scene scene)
    {
        scene.Stream.BeginCapture();
        try
        {
            scene.Launch();
        }
        catch
        {
            scene.Stream.AbandonCapture();
            throw;
        }

        using var graph = scene.Stream.EndCapture();
        Assert.That(graph.NodeCount, Is.EqualTo(1));
    }

    private static void CopyAcross(Scene scene)
    {
        using var other = DeviceMemory.Allocate(scene.Context, Scene.Bytes);
        scene.Stream.CopyToDevice(other.Pointer, scene.Pinned, 0, Scene.Bytes);
        scene.Stream.Copy(scene.Memory.Pointer, other.Pointer, Scene.Bytes);
        scene.Stream.Synchronize();
    }

    private static void Time(Scene scene)
    {
        using var start = CudaEvent.Create(scene.Context, timing: true);
        using var end = CudaEvent.Create(scene.Context, timing: true);
        start.Record(scene.Stream);
        end.Record(scene.Stream);
        end.Synchronize();
        Assert.That(end.IsDone);
        Assert.That(end.MillisecondsSince(start), Is.Not.Negative);
    }

    private static void EncodeMaps(Scene scene)
    {
        var matrix = new TensorMapSource(scene.Memory.Pointer, TensorMapType.Float32, [4, 4], [16]);
        _ = TensorMap.Tiled(scene.Context, matrix, [4, 4]);
        var images = new TensorMapSource(scene.Memory.Pointer, TensorMapType.Float32, [4, 4, 4, 1], [16, 64, 256]);
        _ = TensorMap.Im2col(scene.Context, images, [0, 0], [0, 0], 4, 4);
    }

    /// <summary>An error of its own, so that the driver is asked for names and texts.</summary>
    private static void Describe(Scene scene)
    {
        try
        {
            scene.Module.Function("absent");
        }
        catch (CudaException error) when (error.Status == CudaStatus.NotFound)
        {
            Assert.That(error.Message, Does.Contain("absent"));
        }
    }
}
