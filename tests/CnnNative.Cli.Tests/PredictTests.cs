using System.Buffers.Binary;
using System.Text.Json;
using CnnNative.Vision.Images;
using NUnit.Framework;

namespace CnnNative.Cli.Tests;

public sealed class PredictTests : CliFixture
{
    private static readonly Random Noise = new(3);

    [SetUp]
    public void Train()
    {
        IdxFolder.Write(Under("data"));
        Json("train", "--model", "mlp", "--data", "mnist:data", "--epochs", "8", "--out", "model");
    }

    [Test]
    public void Reads_every_format_whatever_the_file_is_called()
    {
        WritePgm("three.pgm", IdxFolder.Paint(3, Noise), IdxFolder.Side);
        WriteBmp("seven.bmp", IdxFolder.Paint(7, Noise), IdxFolder.Side);
        WritePng("one.png", IdxFolder.Paint(1, Noise), IdxFolder.Side);
        File.Copy(Under("one.png"), Under("also-one.txt"));
        WritePgm("large-nine.pgm", Enlarge(IdxFolder.Paint(9, Noise), 3), 3 * IdxFolder.Side);

        string[] files = ["three.pgm", "seven.bmp", "one.png", "also-one.txt", "large-nine.pgm"];
        var predictions = Json(["predict", "--checkpoint", "model", .. files]).GetProperty("predictions").EnumerateArray().ToList();
        Assert.That(predictions.Select(prediction => prediction.GetProperty("image").GetString()), Is.EqualTo(files));
        Assert.That(predictions.Select(prediction => prediction.GetProperty("class").GetString()), Is.EqualTo(new[] { "3", "7", "1", "1", "9" }));
        foreach (var prediction in predictions) CheckTop(prediction);
    }

    [Test]
    public void Dark_on_light_can_be_turned_around()
    {
        WritePgm("ink.pgm", [.. IdxFolder.Paint(5, Noise).Select(pixel => (byte)(255 - pixel))], IdxFolder.Side);
        var prediction = Json("predict", "--checkpoint", "model", "--invert", "ink.pgm").GetProperty("predictions")[0];
        Assert.That(prediction.GetProperty("class").GetString(), Is.EqualTo("5"));
    }

    [Test]
    public void People_see_a_table()
    {
        WritePgm("two.pgm", IdxFolder.Paint(2, Noise), IdxFolder.Side);
        var outcome = Cnn("predict", "two.pgm", "--checkpoint", "model");
        Assert.That((outcome.ExitCode, outcome.Error), Is.EqualTo((0, "")));
        Assert.That(outcome.Output, Does.Contain("two.pgm").And.Contain("probability").And.Contain(" %").And.Not.Contain("\u001b"));
    }

    [TestCase("garbage.png", "this is no picture at all")]
    [TestCase("empty.pgm", "")]
    [TestCase("short.pgm", "P5 28 28 255 abc")]
    [TestCase("huge.pgm", "P5 2000000000 2000000000 255 abc")]
    public void A_file_that_is_no_picture(string name, string content)
    {
        File.WriteAllText(Under(name), content);
        Assert.That(Fails(1, "predict", "--checkpoint", "model", name), Does.StartWith($"error: {name}"));
    }

    [Test]
    public void A_picture_that_was_cut_or_changed()
    {
        WritePng("a.png", IdxFolder.Paint(4, Noise), IdxFolder.Side);
        var bytes = File.ReadAllBytes(Under("a.png"));
        File.WriteAllBytes(Under("cut.png"), bytes[..(bytes.Length / 2)]);
        Assert.That(Fails(1, "predict", "--checkpoint", "model", "cut.png"), Does.StartWith("error: cut.png"));
        bytes[bytes.Length / 2] ^= 0xFF;
        File.WriteAllBytes(Under("changed.png"), bytes);
        Assert.That(Fails(1, "predict", "--checkpoint", "model", "changed.png"), Does.StartWith("error: changed.png"));
    }

    [Test]
    public void A_missing_picture() => Assert.That(Fails(1, "predict", "--checkpoint", "model", "none.png"), Does.Contain("none.png"));

    /// <summary>Three classes, most probable first, the first of them the answer.</summary>
    private static void CheckTop(JsonElement prediction)
    {
        var top = prediction.GetProperty("top").EnumerateArray().ToList();
        var probabilities = top.Select(score => score.GetProperty("probability").GetDouble()).ToList();
        Assert.That(top, Has.Count.EqualTo(3));
        Assert.That(probabilities, Is.Ordered.Descending.And.All.InRange(0.0, 1.0));
        Assert.That(probabilities.Sum(), Is.LessThan(1.0001));
        Assert.That(top[0].GetProperty("class").GetString(), Is.EqualTo(prediction.GetProperty("class").GetString()));
        Assert.That(prediction.GetProperty("probability").GetDouble(), Is.EqualTo(probabilities[0]));
    }

    private static byte[] Enlarge(byte[] pixels, int times)
    {
        var side = IdxFolder.Side * times;
        return [.. Enumerable.Range(0, side * side).Select(p => pixels[p / side / times * IdxFolder.Side + p % side / times])];
    }

    private void WritePgm(string name, byte[] pixels, int side) =>
        File.WriteAllBytes(Under(name), [.. "P5\n# a comment\n"u8, .. System.Text.Encoding.ASCII.GetBytes($"{side} {side}\n255\n"), .. pixels]);

    private void WritePng(string name, byte[] pixels, int side) => PngWriter.Write(Under(name), new Image(1, side, side, pixels));

    /// <summary>24 bits per pixel, rows upside down and padded to four bytes.</summary>
    private void WriteBmp(string name, byte[] pixels, int side)
    {
        const int headers = 54;
        var stride = (3 * side + 3) / 4 * 4;
        var bytes = new byte[headers + stride * side];
        "BM"u8.CopyTo(bytes);
        foreach (var (at, value) in ((int, int)[])[(2, bytes.Length), (10, headers), (14, 40), (18, side), (22, side), (26, 1 | 24 << 16), (34, stride * side)])
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), value);
        for (var p = 0; p < pixels.Length; p++)
            bytes.AsSpan(headers + (side - 1 - p / side) * stride + p % side * 3, 3).Fill(pixels[p]);
        File.WriteAllBytes(Under(name), bytes);
    }
}
