using System.Text;
using CnnNative.Engines.Native;
using CnnNative.Interop;

namespace CnnNative;

/// <summary>What this build of the library has in kernels.</summary>
public static class NativeKernels
{
    /// <summary>Whether there are any.</summary>
    public static bool ArePresent => PtxSource.IsPresent;

    /// <summary>The PTX version that they are written in, such as "8.3"; a driver that does not know it cannot load them. "none" without kernels.</summary>
    public static string PtxVersion
    {
        get
        {
            if (!ArePresent || Kernels.Entries.Length == 0) return "none";
            const string directive = ".version ";
            var text = Encoding.ASCII.GetString(PtxSource.Load(Kernels.Entries[0], capability: 80).Text);
            var start = text.IndexOf(directive, StringComparison.Ordinal) + directive.Length;
            return text[start..text.IndexOf('\n', start)].Trim();
        }
    }

    /// <summary>Why a driver is too old for the kernels, and which one is needed; null if it can load them, or if there are none.</summary>
    /// <param name="driverVersion">The CUDA version that the driver knows: 12030 for 12.3.</param>
    public static string? Obstacle(int driverVersion) => Obstacle(driverVersion, PtxVersion);

    /// <summary>The same for a version of PTX, such as "8.3".</summary>
    internal static string? Obstacle(int driverVersion, string ptx) =>
        Version.TryParse(ptx, out var version) ? CudaRelease.ForPtx(10 * version.Major + version.Minor)?.Obstacle(driverVersion, $"PTX {ptx}") : null;

    /// <summary>Lets the driver compile every kernel that the device can run.</summary>
    /// <param name="device">The device.</param>
    /// <exception cref="KernelsMissingException">This build has none.</exception>
    /// <exception cref="CnnNative.Interop.CudaException">One does not compile; the message holds the compiler's log.</exception>
    public static IReadOnlyList<CompiledKernel> Compile(CudaDevice device)
    {
        var kernels = ((NativeEngine)device.Engine).Context.Kernels;
        return [.. kernels.Available().Select(Describe)];

        CompiledKernel Describe(Kernel kernel)
        {
            var (entry, function) = (Kernels.Entries[(int)kernel], kernels.Function(kernel));
            return new(
                entry.Name, entry.Module, entry.MaxThreads, function.Registers, function.LocalBytes, function.StaticSharedBytes,
                function.BlocksPerMultiprocessor(entry.MaxThreads, 0), function.CompilerLog);
        }
    }
}
