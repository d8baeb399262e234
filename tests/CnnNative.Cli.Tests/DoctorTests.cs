using System.Text.Json;
using CnnNative.Interop;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Cli.Tests;

public sealed class DoctorTests : CliFixture
{
    private static readonly string[] Libraries = ["driver", "cudnn", "cublas"];

    [Test]
    public void Says_of_each_library_where_it_was_looked_for()
    {
        var doctor = Json("doctor");
        foreach (var name in Libraries)
        {
            var library = doctor.GetProperty(name);
            var places = library.GetProperty("places").EnumerateArray().ToList();
            Assert.That(places, Is.Not.Empty, name);
            var taken = places.Count(place => place.GetProperty("refused").GetString() is null);
            Assert.That(taken, Is.EqualTo(library.GetProperty("found").GetBoolean() ? 1 : 0), name);
        }

        Assert.That(doctor.GetProperty("default_engine").GetString(), Is.AnyOf("cpu", "native"));
        Assert.That(doctor.GetProperty("reason").GetString(), Is.Not.Empty);
    }

    [Test]
    public void People_read_the_same()
    {
        var outcome = Cnn("doctor");
        Assert.That((outcome.ExitCode, outcome.Error), Is.EqualTo((0, "")));
        Assert.That(outcome.Output, Does.Contain("CUDA driver: ").And.Contain("cuDNN: ").And.Contain("cuBLAS: ").And.Contain("engine that auto takes: "));
    }

    [Test]
    public void Kernels_are_compiled_when_asked_for()
    {
        if (!Emulator.IsUsed) Assert.Ignore("the number of kernels is that of compute capability 9.0");
        Variables["CNN_CUDA_DRIVER"] = CudaDriver.Search.Path!;
        Assert.That(Json("doctor").GetProperty("kernels").ValueKind, Is.EqualTo(JsonValueKind.Null));
        var kernels = Json("doctor", "--kernels").GetProperty("kernels").EnumerateArray().ToList();
        Assert.That(kernels, Has.Count.GreaterThan(200));
        Assert.That(kernels.Select(kernel => kernel.GetProperty("registers").GetInt32()), Has.All.InRange(1, 255));
        Assert.That(Cnn("doctor", "--kernels").Output, Does.Contain("add_f32").And.Contain($"{kernels.Count} kernels compiled, 0 with local memory"));
    }

    [Test]
    public void A_library_that_is_no_driver_is_refused_and_auto_takes_the_cpu()
    {
        Variables["CNN_CUDA_DRIVER"] = "libm.so.6";
        var doctor = Json("doctor");
        Assert.That(doctor.GetProperty("driver").GetProperty("places")[0].GetProperty("refused").GetString(), Is.EqualTo("it is not CUDA driver: it has no cuInit"));
        Assert.That(doctor.GetProperty("default_engine").GetString(), Is.EqualTo("cpu"));
        Assert.That(Fails(1, "train", "--engine", "native", "--max-steps", "1"), Does.Contain("no CUDA driver was found"));
    }

    [Test]
    public void A_driver_of_years_ago_is_told_which_one_is_needed()
    {
        Variables["CNN_CUDA_DRIVER"] = Double("libcuda_old.so.1");
        var doctor = Json("doctor");
        var needed = "the CUDA driver knows CUDA 11.4, this library needs 12.0: install driver 525 or newer";
        Assert.That(Problems(doctor), Has.Member(needed));
        Assert.That(Problems(doctor), Has.Some.Match("^the CUDA driver knows CUDA 11.4, PTX .* needs .*: install driver [0-9]+ or newer$"));
        Assert.That(doctor.GetProperty("reason").GetString(), Does.StartWith("no usable GPU: the CUDA driver knows CUDA 11.4, PTX "));
        Assert.That(Fails(1, "train", "--engine", "native", "--max-steps", "1"), Is.EqualTo($"error: {needed}"));
    }

    [TestCase("CNN_EMULATOR_DEVICE", "none", "cuInit: CUDA_ERROR_INVALID_VALUE")]
    [TestCase("CNN_EMULATOR_FAIL", "1:802", "cuDeviceGetCount: CUDA_ERROR_SYSTEM_NOT_READY")]
    public void A_driver_that_cannot_start_is_a_problem_in_one_line(string variable, string value, string problem)
    {
        if (!Emulator.IsUsed) Assert.Ignore("failures are injected into the emulated driver");
        Variables["CNN_CUDA_DRIVER"] = CudaDriver.Search.Path!;
        Variables[variable] = value;
        Assert.That(Problems(Json("doctor")), Has.Some.StartsWith(problem));
    }

    [Test]
    public void Libraries_that_are_there_say_their_versions_and_what_was_refused_is_told_too()
    {
        Variables["CNN_CUBLAS"] = Double("libcublas_double.so.1");
        Directory.CreateDirectory(Under("lib64"));
        Directory.CreateDirectory(Under("lib"));
        File.WriteAllText(Under("lib64/libcudnn.so.9"), "no library");
        File.CreateSymbolicLink(Under("lib/libcudnn.so.9"), Double("libcudnn_double.so.1"));
        Variables["CUDA_PATH"] = Folder;
        var doctor = Json("doctor");
        Assert.That(doctor.GetProperty("cublas").GetProperty("version").GetString(), Is.EqualTo("12.8.4"));
        Assert.That(doctor.GetProperty("cudnn").GetProperty("version").GetString(), Is.EqualTo("9.10.2"));
        Assert.That(Problems(doctor), Has.None.Contains("cu"));
        var lines = Cnn("doctor").OutputLines;
        Assert.That(lines, Has.Member($"cuDNN: 9.10.2, {Under("lib/libcudnn.so.9")}"));
        Assert.That(lines, Has.Exactly(1).StartsWith($"  {Under("lib64/libcudnn.so.9")} (CUDA_PATH): "), "and nothing of places that are empty");
    }

    [Test]
    public void The_native_engine_without_a_driver_is_one_line()
    {
        Variables["CNN_CUDA_DRIVER"] = "/nowhere/libcuda.so.1";
        Assert.That(Fails(1, "train", "--engine", "native", "--max-steps", "1"), Does.Contain("no CUDA driver was found").And.Contain("cnn doctor"));
    }

    [Test]
    public void Threads_are_the_cpus() =>
        Assert.That(Fails(1, "train", "--engine", "native", "--threads", "2"), Does.Contain("--threads is for the CPU"));

    private static IEnumerable<string?> Problems(JsonElement doctor) => doctor.GetProperty("problems").EnumerateArray().Select(problem => problem.GetString());

    /// <summary>A stand-in for a library of NVIDIA's, by file name.</summary>
    private static string Double(string file)
    {
        var path = Path.Combine(Checkout.Root ?? "", "build", "native", "tests", file);
        if (!File.Exists(path)) Assert.Ignore($"{path} is built by cmake");
        return path;
    }
}
