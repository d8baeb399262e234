namespace CnnNative.Interop;

/// <summary>A release of CUDA: the PTX that it knows and the driver that came with it.</summary>
/// <param name="Version">As <see cref="CudaDriver.Version"/> gives it: 12030 for 12.3.</param>
/// <param name="Ptx">The PTX version, 10 * major + minor: 83 for 8.3.</param>
/// <param name="Driver">The branch of the driver, on Linux and Windows: 545.</param>
/// <remarks>Source: PTX ISA, release notes; CUDA Toolkit release notes, toolkit and driver versions.</remarks>
public sealed record CudaRelease(int Version, int Ptx, int Driver)
{
    private static readonly CudaRelease[] All =
    [
        new(12000, 80, 525), new(12010, 81, 530), new(12020, 82, 535), new(12030, 83, 545), new(12040, 84, 550), new(12050, 85, 555),
        new(12070, 86, 565), new(12080, 87, 570), new(12090, 88, 575), new(13000, 90, 580), new(13010, 91, 590),
    ];

    /// <summary>The oldest release that has every function that this library calls; tensor maps came last.</summary>
    public static CudaRelease Oldest => All[0];

    /// <summary>The oldest release that knows a version of PTX; null for one that is newer than this table.</summary>
    /// <param name="ptx">10 * major + minor.</param>
    public static CudaRelease? ForPtx(int ptx) => Array.Find(All, release => release.Ptx >= ptx);

    /// <summary>Why a driver is too old for this release; null if it is not.</summary>
    /// <param name="driverVersion">What the driver says of itself.</param>
    /// <param name="purpose">What needs the release.</param>
    public string? Obstacle(int driverVersion, string purpose) => driverVersion >= Version
        ? null
        : $"the CUDA driver knows CUDA {LibraryVersion.Text(driverVersion)}, {purpose} needs {LibraryVersion.Text(Version)}: install driver {Driver} or newer";
}
