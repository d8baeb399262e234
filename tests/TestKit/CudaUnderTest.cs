using System.Runtime.InteropServices;
using CnnNative.Interop;
using NUnit.Framework;

namespace CnnNative.TestKit;

/// <summary>
/// The CUDA driver that tests run on: with CNN_REQUIRE_GPU=1 the system's; else the one that CNN_CUDA_DRIVER names; else the
/// emulated one that cmake built in this checkout, with every check on. It missing is a failure.
/// </summary>
public static partial class CudaUnderTest
{
    private const string Checks = "race,init,async,nc";
    private static readonly Lock Gate = new();
    private static bool prepared;

    /// <summary>Whether tests must run on a real GPU (CNN_REQUIRE_GPU=1).</summary>
    public static bool RequiresGpu => Environment.GetEnvironmentVariable("CNN_REQUIRE_GPU") == "1";

    /// <summary>Opens a device of the driver under test.</summary>
    public static CudaDevice Open()
    {
        Prepare();
        return CudaDevice.Open();
    }

    /// <summary>Chooses the driver; before the first call of it.</summary>
    public static void Prepare()
    {
        lock (Gate)
        {
            if (prepared) return;
            prepared = true;
            if (!RequiresGpu) ChooseEmulator();
        }

        if (RequiresGpu && CudaDriver.IsEmulated) Assert.Fail("CNN_REQUIRE_GPU=1, but the driver found is the emulated one");
    }

    /// <summary>Sets a variable as the library reads it: with getenv, which does not see changes made by the runtime alone.</summary>
    internal static void SetVariable(string name, string value)
    {
        if (setenv(name, value, 1) != 0) throw new InvalidOperationException($"setenv {name}={value} failed");
    }

    private static void ChooseEmulator()
    {
        if (Environment.GetEnvironmentVariable("CNN_EMULATOR_CHECK") is null) SetVariable("CNN_EMULATOR_CHECK", Checks);
        if (Environment.GetEnvironmentVariable(CudaLibrary.Driver.Variable) is { Length: > 0 }) return;
        var library = Path.Combine(Checkout.Root ?? "", "build", "native", "emulator", "libcuda.so.1");
        if (!File.Exists(library)) Assert.Fail($"the emulated driver is not built ({library}): cmake -S . -B build && cmake --build build, or set {CudaLibrary.Driver.Variable}");
        Environment.SetEnvironmentVariable(CudaLibrary.Driver.Variable, library);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);
}
