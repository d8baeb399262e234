using System.CommandLine;
using CnnNative.Cli.Json;
using CnnNative.Cli.Output;
using CnnNative.Interop;

namespace CnnNative.Cli.Commands;

/// <summary><c>cnn doctor</c>: what this machine has of what a GPU needs, and what is in the way.</summary>
internal static class DoctorCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("doctor", "Show the CUDA driver, the devices and NVIDIA's libraries: what was found where, and why the rest was refused.");
        var kernels = new Option<bool>("--kernels") { Description = "Let the driver compile every kernel, and show registers, local and shared memory" };
        var json = JsonOption.Create();
        command.Add(kernels);
        command.Add(json);
        command.SetAction(parsed =>
        {
            Report(Examine(parsed.GetValue(kernels)), parsed.GetValue(json));
            return ExitCode.Success;
        });
        return command;
    }

    private static DoctorJson Examine(bool kernels)
    {
        var problems = new List<string>();
        var driver = Describe(CudaDriver.Search, problems);
        var devices = Devices(problems);
        var choice = Device.DefaultChoice;
        var compiled = kernels ? Compile() : null;
        var found = (Cudnn: LibraryFinder.Find(CudaLibrary.Cudnn), Cublas: LibraryFinder.Find(CudaLibrary.Cublas));
        if (CudaDriver.Search.Found && NativeKernels.Obstacle(CudaDriver.Version) is { } obstacle) problems.Add(obstacle);
        if (!NativeKernels.ArePresent) problems.Add("this build has no kernels: build the target native_kernels with cmake, then build again");
        return new(
            driver, driver.Version, NativeKernels.PtxVersion, NativeKernels.ArePresent, devices, Describe(found.Cudnn, problems), Describe(found.Cublas, problems),
            DeviceOptions.Name(choice.Device), choice.Reason,
            compiled?.Select(one => new KernelJson(one.Name, one.Module, one.Threads, one.Registers, one.LocalBytes, one.StaticSharedBytes, one.BlocksPerMultiprocessor)).ToList(),
            compiled?.Where(one => one.CompilerLog.Length > 0).DistinctBy(one => one.Module).ToDictionary(one => one.Module, one => one.CompilerLog), problems);
    }

    private static List<GpuJson> Devices(List<string> problems)
    {
        var devices = new List<GpuJson>();
        if (!CudaDriver.Search.Found) return devices;
        try
        {
            for (var ordinal = 0; ordinal < CudaDriver.DeviceCount; ordinal++)
            {
                var info = CudaDriver.Device(ordinal);
                devices.Add(new(
                    ordinal, info.Name, $"{info.ComputeCapability / 10}.{info.ComputeCapability % 10}", info.Multiprocessors, info.TotalBytes, info.L2Bytes,
                    info.MaxSharedBytesPerBlock, CudaDriver.IsEmulated));
            }
        }
        catch (Exception error) when (error is CudaException or DriverTooOldException)
        {
            problems.Add(Failure.OneLine(error.Message));
        }

        return devices;
    }

    private static IReadOnlyList<CompiledKernel> Compile()
    {
        using var device = CudaDevice.Open();
        return NativeKernels.Compile(device);
    }

    private static LibraryJson Describe(LibrarySearch search, List<string> problems)
    {
        if (!search.Found) problems.Add($"{search.Library} was not found");
        var places = search.Candidates.Select(candidate => new PlaceJson(candidate.Path, candidate.Origin, candidate.Refusal));
        return new(search.Library.Name, search.Found, search.Path, LibraryVersion.Read(search), [.. places]);
    }

    private static void Report(DoctorJson doctor, bool json)
    {
        var human = Human.Open(json);
        foreach (var library in (LibraryJson[])[doctor.Driver, doctor.Cudnn, doctor.Cublas]) Draw(human, library);
        foreach (var device in doctor.Devices)
            human.Line($"device {device.Ordinal}: {device.Name}, compute capability {device.ComputeCapability}, {device.Multiprocessors} multiprocessors, {Words.Bytes(device.TotalBytes)}");
        human.Line(doctor.HasKernels ? $"kernels: PTX {doctor.PtxVersionNeeded}, for compute capability 8.0 and later" : "kernels: none in this build");
        human.Line($"engine that auto takes: {doctor.DefaultEngine} ({doctor.Reason})");
        if (doctor.Kernels is { } kernels) Draw(human, kernels);
        foreach (var problem in doctor.Problems) human.Line($"missing: {problem}");
        if (json) Results.Write(doctor, ResultContext.Default.DoctorJson);
    }

    private static void Draw(Human human, IReadOnlyList<KernelJson> kernels)
    {
        human.Line($"{"kernel",-44} {"threads",8} {"registers",10} {"local",8} {"shared",8} {"blocks",7}");
        foreach (var kernel in kernels)
            human.Line($"{kernel.Name,-44} {kernel.Threads,8} {kernel.Registers,10} {kernel.LocalBytes,8} {kernel.StaticSharedBytes,8} {kernel.BlocksPerMultiprocessor,7}");
        human.Line($"{kernels.Count} kernels compiled, {kernels.Count(kernel => kernel.LocalBytes > 0)} with local memory");
    }

    /// <summary>The file that was taken, and what was there but refused; every place, where none was taken.</summary>
    private static void Draw(Human human, LibraryJson library)
    {
        human.Line(library.Found ? $"{library.Name}: {library.Version ?? "of unknown version"}, {library.Path}" : $"{library.Name}: not found");
        foreach (var place in library.Places.Where(place => place.Refused is not null && !(library.Found && place.Refused == LibraryCandidate.Absent)))
            human.Line($"  {place.Path} ({place.Origin}): {place.Refused}");
    }
}
