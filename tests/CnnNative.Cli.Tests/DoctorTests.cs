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
    public void The_native_engine_without_a_driver_is_one_line()
    {
        Variables["CNN_CUDA_DRIVER"] = "/nowhere/libcuda.so.1";
        Assert.That(Fails(1, "train", "--engine", "native", "--max-steps", "1"), Does.Contain("no CUDA driver was found").And.Contain("cnn doctor"));
    }

    [Test]
    public void Threads_are_the_cpus() =>
        Assert.That(Fails(1, "train", "--engine", "native", "--threads", "2"), Does.Contain("--threads is for the CPU"));
}
