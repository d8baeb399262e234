using System.Text;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Interop.Tests;

/// <summary>What the driver refuses becomes a typed exception that names the call, the values and the log.</summary>
[TestFixture, NonParallelizable]
public sealed class ErrorTests
{
    [OneTimeSetUp]
    public void Prepare() => CudaUnderTest.Prepare();

    [Test]
    public void Broken_ptx_brings_the_compilers_log()
    {
        using var context = CudaContext.Open(CudaDriver.Device(0));
        var ptx = Encoding.ASCII.GetBytes(".version 8.3\n.target sm_80\n.address_size 64\n.visible .entry k()\n{\n  frobnicate.u32 %r1;\n}\n");
        var error = Assert.Throws<CudaException>(() => CudaModule.Load(context, "broken", ptx))!;
        Assert.That(error.Status, Is.EqualTo(CudaStatus.InvalidPtx));
        Assert.That(error.Message, Does.Contain("cuModuleLoadDataEx").And.Contain("CUDA_ERROR_INVALID_PTX").And.Contain("broken").And.Contain("frobnicate"));
    }

    [Test]
    public void A_missing_kernel_is_named()
    {
        using var scene = new Scene();
        var error = Assert.Throws<CudaException>(() => scene.Module.Function("absent"))!;
        Assert.That(error.Message, Does.Contain("absent").And.Contain("increment"));
        Assert.That(error.Status, Is.EqualTo(CudaStatus.NotFound));
    }

    [Test]
    public unsafe void A_launch_that_cannot_be_names_kernel_and_sizes()
    {
        using var scene = new Scene();
        var error = Assert.Throws<CudaException>(() =>
        {
            var pointer = scene.Memory.Pointer;
            void** arguments = stackalloc void*[] { &pointer };
            scene.Increment.Launch(scene.Stream, new LaunchConfiguration(1, 65), arguments);
        })!;
        Assert.That(error.Message, Does.Contain("increment").And.Contain("(65, 1, 1)"));
    }

    [Test]
    public void Too_much_memory_is_its_own_exception()
    {
        using var context = CudaContext.Open(CudaDriver.Device(0));
        var error = Assert.Throws<CudaOutOfMemoryException>(() => DeviceMemory.Allocate(context, 1L << 50))!;
        Assert.That(error.Message, Does.Contain("1,125,899,906,842,624"));
    }

    [Test]
    public void A_device_that_is_not_there_is_refused() =>
        Assert.That(() => CudaDriver.Device(99), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("99"));

    [Test]
    public void Pinned_memory_has_bounds()
    {
        using var scene = new Scene();
        Assert.That(() => scene.Pinned.Span(Scene.Bytes - 3, 4), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => scene.Stream.CopyToHost(scene.Pinned, 1, scene.Memory.Pointer, Scene.Bytes), Throws.TypeOf<ArgumentOutOfRangeException>());
    }
}
