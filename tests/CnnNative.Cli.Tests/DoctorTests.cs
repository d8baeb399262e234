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
    public void The_native_engine_without_a_driver_is_one_line()
    {
        Variables["CNN_CUDA_DRIVER"] = "/nowhere/libcuda.so.1";
        Assert.That(Fails(1, "train", "--engine", "native", "--max-steps", "1"), Does.Contain("no CUDA driver was found").And.Contain("cnn doctor"));
    }

    [Test]
    public void Threads_are_the_cpus() =>
        Assert.That(Fails(1, "train", "--engine", "native", "--threads", "2"), Does.Contain("--threads is for the CPU"));
}
