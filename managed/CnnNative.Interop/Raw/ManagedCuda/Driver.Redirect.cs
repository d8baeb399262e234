using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using Native = ManagedCuda.DriverAPINativeMethods;

namespace CnnNative.Interop.Raw;

/// <summary>Makes ManagedCuda use the driver that <see cref="LibraryFinder"/> found.</summary>
internal static partial class Driver
{
    // ManagedCuda declares nvcuda; on Linux its own resolver asks the loader for libcuda first.
    private const string LinuxName = "libcuda", WindowsName = "nvcuda";

    private static readonly Assembly Package = typeof(Native).Assembly;

    /// <summary>The same search; without a library where ManagedCuda's own search ends at another one.</summary>
    internal static LibrarySearch RefuseUnlessShared(LibrarySearch search)
    {
        var name = OperatingSystem.IsLinux() ? LinuxName : WindowsName;
        // The system's loader comes before any handler, so that a libcuda.so on its path would be a second driver beside the one that was found.
        if (NativeLibrary.TryLoad(name, Package, DllImportSearchPath.SafeDirectories, out var own) && own == search.Handle) return search;
        var refused = search.Candidates[^1] with { Refusal = $"ManagedCuda's own search for {name} ends at another library" };
        return search with { Candidates = [.. search.Candidates.SkipLast(1), refused], Handle = 0 };
    }

    static partial void Redirect(ref LibrarySearch search)
    {
        var handle = search.Handle;
        // An assembly has one import resolver, and ManagedCuda sets its own; what that and the loader do not find comes here.
        AssemblyLoadContext.GetLoadContext(Package)!.ResolvingUnmanagedDll += (assembly, name) =>
            assembly == Package && name is LinuxName or WindowsName ? handle : 0;
        search = RefuseUnlessShared(search);
    }
}
