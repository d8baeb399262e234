using CnnNative.Engines.Native;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>What holds for all kernels, whatever they compute.</summary>
[TestFixture]
public sealed class KernelTests
{
    [TestCaseSource(typeof(Kernels), nameof(Kernels.Structures))]
    public void A_structure_has_the_kernels_size((string Name, int KernelBytes, int ManagedBytes) structure) =>
        Assert.That(structure.ManagedBytes, Is.EqualTo(structure.KernelBytes), structure.Name);

    [Test]
    public void Every_kernel_compiles_and_takes_the_threads_it_says()
    {
        using var device = CudaUnderTest.Open();
        var compiled = NativeKernels.Compile(device);
        Assert.That(compiled.Select(kernel => kernel.Name), Is.EqualTo(((NativeEngine)device.Engine).Context.Kernels.Available().Select(kernel => Kernels.Entries[(int)kernel].Name)));
        Assert.That(compiled, Has.Count.GreaterThan(200));
        Assert.That(compiled.Where(kernel => kernel.BlocksPerMultiprocessor == 0), Is.Empty, "kernels that do not fit a multiprocessor");
    }

    /// <summary>Arrays that are indexed by variables, and on a GPU what the compiler spilled, lie in local memory, which is device memory.</summary>
    [Test]
    public void No_kernel_needs_local_memory()
    {
        using var device = CudaUnderTest.Open();
        Assert.That(NativeKernels.Compile(device).Where(kernel => kernel.LocalBytes > 0), Is.Empty);
    }
}
