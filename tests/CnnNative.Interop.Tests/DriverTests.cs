using System.Runtime.InteropServices;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Interop.Tests;

/// <summary>What the driver's functions answer and do, whichever source set carries them out.</summary>
[TestFixture, NonParallelizable]
public sealed unsafe class DriverTests
{
    private Scene scene = null!;

    [SetUp]
    public void Open()
    {
        CudaUnderTest.Prepare();
        scene = new Scene();
    }

    [TearDown]
    public void Close() => scene.Dispose();

    [Test]
    public void Copies_go_there_across_and_back()
    {
        using var other = DeviceMemory.Allocate(scene.Context, Scene.Bytes);
        var sent = Enumerable.Range(100, Scene.Threads).ToArray();
        sent.CopyTo(Values);
        scene.Stream.CopyToDevice(scene.Memory.Pointer, scene.Pinned, 0, Scene.Bytes);
        scene.Stream.Copy(other.Pointer, scene.Memory.Pointer, Scene.Bytes);
        scene.Stream.Synchronize();
        Values.Clear();
        scene.Stream.CopyToHost(scene.Pinned, 0, other.Pointer, Scene.Bytes);
        scene.Stream.Synchronize();
        Assert.That(Values.ToArray(), Is.EqualTo(sent));
    }

    [Test]
    public void A_graph_counts_its_nodes()
    {
        scene.Stream.Fill(scene.Memory.Pointer, 0, Scene.Bytes);
        scene.Stream.BeginCapture();
        scene.Launch();
        scene.Launch();
        using var graph = scene.Stream.EndCapture();
        Assert.That(graph.NodeCount, Is.EqualTo(2));
        using var executable = graph.Instantiate(scene.Stream);
        executable.Launch(scene.Stream);
        scene.Stream.CopyToHost(scene.Pinned, 0, scene.Memory.Pointer, Scene.Bytes);
        scene.Stream.Synchronize();
        Assert.That(Values.ToArray(), Has.All.EqualTo(2));
    }

    [Test]
    public void Events_tell_when_they_are_done_and_the_time_between()
    {
        using var start = CudaEvent.Create(scene.Context, timing: true);
        using var end = CudaEvent.Create(scene.Context, timing: true);
        scene.Stream.Fill(scene.Memory.Pointer, 0, Scene.Bytes);
        start.Record(scene.Stream);
        scene.Launch();
        end.Record(scene.Stream);
        end.Synchronize();
        Assert.That(end.IsDone, Is.True);
        Assert.That(end.MillisecondsSince(start), Is.InRange(0f, 60_000f));
    }

    [Test]
    public void A_function_knows_what_it_needs_and_shared_memory_limits_the_blocks()
    {
        const int shared = 64 << 10;
        Assert.That(scene.Increment.Registers, Is.InRange(1, 255));
        Assert.That((scene.Increment.LocalBytes, scene.Increment.StaticSharedBytes), Is.EqualTo((0, 0)));
        var without = scene.Increment.BlocksPerMultiprocessor(Scene.Threads, 0);
        Assert.That(scene.Increment.BlocksPerMultiprocessor(Scene.Threads, shared), Is.InRange(1, without - 1));
    }

    [Test]
    public void A_device_has_a_name_and_memory()
    {
        var device = scene.Context.Device;
        Assert.That(device.Name, Is.Not.Empty.And.Not.Contains('\0'));
        var (free, total) = scene.Context.MemoryInfo();
        Assert.That(free, Is.InRange(1, total));
        Assert.That(total, Is.InRange(1, device.TotalBytes));
        scene.Pool.Trim();
    }

    private Span<int> Values => MemoryMarshal.Cast<byte, int>(scene.Pinned.Span(0, Scene.Bytes));
}
