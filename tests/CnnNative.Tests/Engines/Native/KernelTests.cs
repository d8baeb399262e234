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
    public void Every_module_loads_and_every_kernel_takes_the_threads_it_says()
    {
        using var device = CudaUnderTest.Open();
        var context = ((NativeEngine)device.Engine).Context;
        Assert.That(context.Kernels.LoadAll(), Has.Count.EqualTo(Kernels.Entries.Select(entry => entry.Module).Distinct().Count()));
        for (var kernel = 0; kernel < Kernels.Entries.Length; kernel++)
            Assert.That(context.Kernels.Function((Kernel)kernel).BlocksPerMultiprocessor(Kernels.Entries[kernel].MaxThreads, 0), Is.GreaterThan(0), Kernels.Entries[kernel].Name);
    }
}
