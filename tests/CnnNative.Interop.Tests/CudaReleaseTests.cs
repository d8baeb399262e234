using NUnit.Framework;

namespace CnnNative.Interop.Tests;

/// <summary>Which driver runs which PTX.</summary>
public sealed class CudaReleaseTests
{
    [TestCase(83, 12030, 545)]
    [TestCase(78, 12000, 525)]
    [TestCase(89, 13000, 580)]
    [TestCase(90, 13000, 580)]
    [TestCase(91, 13010, 590)]
    public void Ptx_needs_a_release_and_its_driver(int ptx, int version, int driver)
    {
        var release = CudaRelease.ForPtx(ptx)!;
        Assert.That((release.Version, release.Driver), Is.EqualTo((version, driver)));
    }

    [Test]
    public void Of_newer_ptx_nothing_is_known() => Assert.That(CudaRelease.ForPtx(92), Is.Null);

    [Test]
    public void A_driver_that_is_too_old_is_told_which_one_is_needed()
    {
        var release = CudaRelease.ForPtx(83)!;
        Assert.That(release.Obstacle(12020, "PTX 8.3"), Is.EqualTo("the CUDA driver knows CUDA 12.2, PTX 8.3 needs 12.3: install driver 545 or newer"));
        Assert.That(release.Obstacle(12030, "PTX 8.3"), Is.Null);
    }
}
