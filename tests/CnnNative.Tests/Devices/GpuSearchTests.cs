using CnnNative.Interop;
using NUnit.Framework;

namespace CnnNative.Tests.Devices;

/// <summary>Which of a machine's GPUs is taken, and what is said of the others.</summary>
public sealed class GpuSearchTests
{
    private static readonly CudaDeviceInfo Old = new(0, "Old", 70, 80, 96 << 10, 2048, 16L << 30, 6 << 20, true, "00000000:01:00.0");
    private static readonly CudaDeviceInfo New = Old with { Ordinal = 1, Name = "New", ComputeCapability = 90 };

    [Test]
    public void The_first_usable_one_is_taken_whatever_its_number()
    {
        var search = new GpuSearch();
        Assert.That(search.First([Old, New], info => info.Name), Is.EqualTo("New"));
        Assert.That(search.Obstacles, Is.EqualTo("Old has compute capability 7.0, the kernels need 8.0"));
    }

    [Test]
    public void One_that_cannot_be_opened_leaves_the_turn_to_the_next()
    {
        var search = new GpuSearch();
        var opened = search.First([New, New with { Name = "Newer" }], info => info.Name == "New" ? throw new CudaException("cuCtx", CudaStatus.OutOfMemory, "full") : info.Name);
        Assert.That(opened, Is.EqualTo("Newer"));
        Assert.That(search.Obstacles, Is.EqualTo("New: cuCtx: full"));
    }

    [Test]
    public void None_is_none()
    {
        var search = new GpuSearch();
        Assert.That(search.First([], info => info.Name), Is.Null);
        Assert.That(search.Obstacles, Is.EqualTo("the CUDA driver knows no device"));
    }

    [Test]
    public void A_driver_that_cannot_load_the_kernels_is_told_which_one_can()
    {
        Assert.That(NativeKernels.Obstacle(12020, "8.3"), Does.Contain("PTX 8.3 needs 12.3").And.Contain("driver 545"));
        Assert.That(NativeKernels.Obstacle(12030, "8.3"), Is.Null);
        Assert.That(NativeKernels.Obstacle(12030, "none"), Is.Null);
    }
}
