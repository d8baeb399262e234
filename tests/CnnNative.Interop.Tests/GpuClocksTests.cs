using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Interop.Tests;

/// <summary>Reading clocks through the management library, with a stand-in for it: what is asked is right; what NVIDIA's would say is not shown.</summary>
public sealed class GpuClocksTests
{
    private static readonly string Double = Path.Combine(Checkout.Root ?? "", "build", "native", "tests", "libnvidia-ml_double.so.1");

    private LibrarySearch search = null!;

    [OneTimeSetUp]
    public void Find()
    {
        if (!File.Exists(Double)) Assert.Ignore($"{Double} is built by cmake");
        search = LibraryFinder.Find(CudaLibrary.Management, Double);
    }

    [Test]
    public void Multiprocessors_and_memory_have_clocks() =>
        Assert.That(GpuClocks.Open(search, "00000000:1b:00.0")!.Megahertz(), Is.EqualTo((1980, 2619)));

    [Test]
    public void A_device_that_it_does_not_know_has_none() => Assert.That(GpuClocks.Open(search, "00000000:1c:00.0"), Is.Null);

    [Test]
    public void Neither_has_one_without_the_library() =>
        Assert.That(GpuClocks.Open(LibraryFinder.Find(CudaLibrary.Management, "/nowhere/libnvidia-ml.so.1"), "00000000:1b:00.0"), Is.Null);

    [Test]
    public void The_emulated_device_has_none()
    {
        if (!Emulator.IsUsed) Assert.Ignore("for the emulated driver");
        Assert.That(GpuClocks.Open(CudaDriver.Device(0)), Is.Null);
    }
}
