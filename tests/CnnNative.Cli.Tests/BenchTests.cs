using System.Globalization;
using System.Text.Json;
using CnnNative.Cli.Bench;
using CnnNative.Interop;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Cli.Tests;

/// <summary>cnn bench on the emulated driver: everything but time, which means nothing there.</summary>
public sealed class BenchTests : CliFixture
{
    private static IEnumerable<string> Variants() => Variant.All.Select(variant => variant.Name);

    [SetUp]
    public void UseTheEmulatedDriver()
    {
        if (!Emulator.IsUsed) Assert.Ignore("on a GPU the bench itself is run");
        Variables["CNN_CUDA_DRIVER"] = CudaDriver.Search.Path!;
    }

    [Test]
    public void Every_pass_runs_in_both_usual_variants()
    {
        var report = Json("bench", "--check", "--filter", "LeNet-5 conv2");
        var names = report.GetProperty("workloads").EnumerateArray().Select(one => one.GetProperty("name").GetString()).ToList();
        string[] passes = ["forward", "dgrad", "wgrad", "with bias and ReLU", "bias gradient", "im2col", "col2im"];
        Assert.That(names, Is.EqualTo(from type in (string[])["", ", bf16"] from pass in passes select $"LeNet-5 conv2 {pass}{type}"));
        Assert.That(report.GetProperty("workloads").EnumerateArray().Select(one => one.GetProperty("error").GetString()), Has.All.Null);
        Assert.That(report.GetProperty("copy_bytes_per_second").ValueKind, Is.EqualTo(JsonValueKind.Null));
    }

    /// <summary>In the other layout what works on images is measured, in tf32 the products that matrix units take.</summary>
    [TestCase("float32-nhwc", ", NHWC", "LeNet-5 conv2", 7)]
    [TestCase("bfloat16-nchw", ", bf16, NCHW", "LeNet-5 conv2", 7)]
    [TestCase("float16-nchw", ", f16, NCHW", "pool 2x2", 4)]
    [TestCase("tf32", ", tf32", "airbench94 24-64", 4)]
    public void Other_variants_have_workloads_of_their_own(string type, string suffix, string filter, int count)
    {
        var workloads = Json("bench", "--check", "--dtype", type, "--filter", filter).GetProperty("workloads").EnumerateArray().ToList();
        Assert.That(workloads.Select(one => one.GetProperty("name").GetString()), Has.Exactly(count).EndsWith(suffix).And.Exactly(count).Items);
        Assert.That(workloads.Select(one => one.GetProperty("error").GetString()), Has.All.Null);
    }

    [Test]
    public void Matrix_units_are_asked_for_no_channels_that_they_do_not_take()
    {
        var tf32 = new Workloads(Shapes.Read(), Variant.All.Single(variant => variant.Arithmetic.IsTf32)).All().Select(workload => workload.Name).ToList();
        Assert.That(tf32, Has.None.StartsWith("ResNet-50 conv1 ").And.None.StartsWith("depthwise").And.None.Contains("pool"));
        Assert.That(tf32, Does.Contain("ResNet-50 conv2 3x3 wgrad, tf32"));
    }

    [Test]
    public void A_peer_is_asked_for_each_workload_by_name()
    {
        var outcome = Cnn(["bench", "--check", "--dtype", "float32", "--filter", "10 classes", "--out", Under("bench.json"), "--peer", .. Peer("""
            echo '{"program": "stand-in 1.0"}'
            while read -r line; do
              echo "$line" >>asked
              case "$line" in *backward*) echo '{"error": "no such workload"}' ;; *) echo '{}' ;; esac
            done
            """)]);
        Assert.That(outcome.ExitCode, Is.EqualTo(1), "a workload that a peer cannot do is no success");
        Assert.That(outcome.OutputLines, Is.EqualTo((string[])[
            "peer: stand-in 1.0", "cross-entropy 10 classes backward: peer: no such workload",
            "softmax of cross-entropy 10 classes backward: peer: no such workload", $"4 of 4 workloads ran on {CudaDriver.Device(0).Name} with finite results"]));
        Assert.That(File.ReadAllLines(Under("asked")), Is.EqualTo((string[])[
            """{"name":"cross-entropy 10 classes forward","check":true}""", """{"name":"cross-entropy 10 classes backward","check":true}""",
            """{"name":"softmax of cross-entropy 10 classes forward","check":true}""", """{"name":"softmax of cross-entropy 10 classes backward","check":true}"""]));
        Assert.That(File.ReadAllText(Under("bench.json")), Does.Contain("\"peer\":\"stand-in 1.0\"").And.Contain("\"peer_error\":\"no such workload\""));
    }

    [TestCase("exit 1", "it ended without its name")]
    [TestCase("echo hello; sleep 100", "'hello' is no answer to its name")]
    [TestCase("echo '{}'; sleep 100", "does not say what it is")]
    [TestCase("""echo '{"program": "x"}'; read line; exit""", "it ended without cross-entropy 10 classes forward")]
    [TestCase("""echo '{"program": "x"}'; read line; echo null; sleep 100""", "'null' is no answer to cross-entropy 10 classes forward")]
    public void A_peer_that_is_none_is_one_line(string script, string expected)
    {
        var outcome = Cnn(["bench", "--check", "--dtype", "float32", "--filter", "10 classes", "--peer", .. Peer(script)]);
        Assert.That(outcome.ExitCode, Is.EqualTo(1));
        Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1));
        Assert.That(outcome.Error, Does.StartWith("error: --peer ").And.Contain(expected));
    }

    [TestCase("--peer", "/nowhere/peer", ExpectedResult = "cannot be started")]
    [TestCase("--dtype", "int8", ExpectedResult = "must be one of float32, bfloat16, float16, tf32, float32-nhwc, bfloat16-nchw, float16-nchw")]
    [TestCase("--filter", "no such thing", ExpectedResult = "fits no workload")]
    [TestCase("--out", "/nowhere/bench.json", ExpectedResult = "there is no folder /nowhere")]
    public string A_wrong_option_is_one_line(string option, string value)
    {
        var line = Fails(1, "bench", "--check", option, value);
        string[] expected = ["cannot be started", "must be one of float32, bfloat16, float16, tf32, float32-nhwc, bfloat16-nchw, float16-nchw", "fits no workload", "there is no folder /nowhere"];
        return Array.Find(expected, line.Contains) ?? line;
    }

    /// <summary>A launch that is refused costs its own workload alone; a kernel that fails takes the context with it, and the rest is not tried.</summary>
    [TestCase("ret;", "trap;", "not run: the device was lost")]
    [TestCase(".entry cross_entropy_short_rows_forward_f32", ".entry other", null)]
    public void One_bad_kernel_does_not_end_the_run_unless_the_device_is_lost(string good, string bad, string? second)
    {
        Variables["CNN_PTX"] = BrokenKernels("cross_entropy_forward", good, bad);
        var outcome = Cnn("bench", "--check", "--dtype", "float32", "--filter", "10 classes", "--json");
        Assert.That(outcome.ExitCode, Is.EqualTo(1), outcome.Error);
        using var report = JsonDocument.Parse(outcome.OutputLines[0]);
        var errors = report.RootElement.GetProperty("workloads").EnumerateArray().Select(one => one.GetProperty("error").GetString()).ToList();
        Assert.That(errors[0], Does.StartWith("cu"));
        Assert.That(errors[1], Is.EqualTo(second));
        Assert.That(Cnn("bench", "--check", "--dtype", "float32", "--filter", "10 classes").Output.Contains("the device was lost: cu", StringComparison.Ordinal), Is.EqualTo(second is not null));
    }

    [TestCaseSource(nameof(Variants))]
    public void Rotating_inputs_fill_the_cache_of_a_large_gpu_three_times(string name)
    {
        const long cache = 60 << 20;
        foreach (var workload in new Workloads(Shapes.Read(), Variant.All.Single(variant => variant.Name == name)).All())
        {
            var sets = Measurement.Sets(workload, cache);
            Assert.That(sets, Is.GreaterThanOrEqualTo(2), workload.Name);
            // Below that a launch takes longer than the memory, wherever the data is.
            if (workload.Bytes > 24 << 10) Assert.That(sets * workload.Bytes, Is.GreaterThanOrEqualTo(3.0 * cache), workload.Name);
        }
    }

    [Test]
    public void Emulated_time_is_not_shown() => Assert.That(Fails(1, "bench"), Does.Contain("says nothing of speed").And.Contain("--check").And.Contain("--count"));

    /// <summary>Reading two tensors and writing one keeps L2 busy as long as memory, but for its own speed, and nothing else as long.</summary>
    [Test]
    public void Counts_say_what_a_kernel_keeps_busy()
    {
        var workloads = Json("bench", "--count", "--dtype", "float32", "--filter", "add, 64 MiB").GetProperty("workloads").EnumerateArray().ToList();
        var add = workloads.Single();
        Assert.That(add.GetProperty("launches").GetInt32(), Is.EqualTo(1));
        Assert.That(add.GetProperty("l2").GetDouble(), Is.InRange(4.3 / 5.5, 1.02 * 4.3 / 5.5));
        Assert.That(add.GetProperty("issue").GetDouble(), Is.InRange(0.05, 1));
        Assert.That((add.GetProperty("bound").GetString(), add.GetProperty("busy").GetDouble()), Is.EqualTo(("L2", add.GetProperty("l2").GetDouble())));
    }

    [Test]
    public void Counts_come_as_a_table_with_the_worst_again_at_its_end()
    {
        var outcome = Cnn("bench", "--count", "--images", "2", "--filter", "LeNet-5 conv2");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        Assert.That(outcome.OutputLines[0], Does.Contain("not measured").And.Contain("H200"));
        var worst = outcome.OutputLines.SkipWhile(line => line != "Furthest from the floor:").Skip(1).ToList();
        Assert.That(worst, Has.Count.EqualTo(10));
        Assert.That(worst.Select(line => double.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture)), Is.Ordered.Descending);
        Assert.That(outcome.OutputLines, Has.Some.StartsWith("LeNet-5 conv2 forward "));
    }

    [TestCase("--images", "0", ExpectedResult = "from 1 to 1024")]
    [TestCase("--check", null, ExpectedResult = "neither --check nor --peer nor --out")]
    [TestCase("--out", "bench.json", ExpectedResult = "neither --check nor --peer nor --out")]
    public string Options_that_do_not_go_with_counting_are_refused(string option, string? value)
    {
        var line = Fails(2, value is null ? ["bench", "--count", option] : ["bench", "--count", option, value]);
        return Array.Find(["from 1 to 1024", "neither --check nor --peer nor --out"], line.Contains) ?? line;
    }

    /// <summary>A folder of all kernels, those of one module spoiled.</summary>
    private string BrokenKernels(string module, string good, string bad)
    {
        var folder = Path.Combine(Checkout.Root!, "build", "native", "kernels", "ptx");
        var copy = Directory.CreateDirectory(Under("ptx")).FullName;
        foreach (var file in Directory.GetFiles(folder, "*.ptx"))
        {
            var target = Path.Combine(copy, Path.GetFileName(file));
            if (!Path.GetFileName(file).StartsWith($"{module}.", StringComparison.Ordinal)) File.CreateSymbolicLink(target, file);
            else File.WriteAllText(target, File.ReadAllText(file).Replace(good, bad, StringComparison.Ordinal));
        }

        return copy;
    }

    private string[] Peer(string script)
    {
        File.WriteAllText(Under("peer.sh"), script);
        return ["sh", Under("peer.sh")];
    }
}
