using System.Buffers.Binary;
using System.Text;
using CnnNative.Serialization;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Serialization;

/// <summary>Round trips, files of other writers, and files that are truncated, damaged or hostile.</summary>
[EngineFixtures]
public sealed class SafetensorsTests(EngineUnderTest engine) : EngineTests(engine)
{
    private string folder = "";

    private string FilePath => Path.Combine(folder, "file.safetensors");

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("cnn-test-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void WhatIsWrittenIsReadBitForBit()
    {
        using var scope = Device.Step();
        var tensors = new OrderedDictionary<string, Tensor>
        {
            ["b"] = Tensor.From([1f, float.NaN, float.NegativeInfinity, -0f, 1e-45f], [5], Device),
            ["a.weight"] = Tensor.Normal([2, 3, 4, 5], device: Device).ToLayout(Layout.Nhwc),
            ["labels"] = Tensor.From([long.MaxValue, -1], [2, 1], Device),
            ["scalar"] = Tensor.From([7L], Shape.Scalar, Device),
            ["empty"] = Tensor.From(Array.Empty<float>(), [0, 3], Device),
            ["bytes"] = Tensor.From(new byte[] { 0, 255 }, [2], Device),
            ["half"] = Tensor.From([(Half)1.5, Half.MaxValue], [2], Device),
            ["größe \"x\""] = Tensor.From([1, 2, 3], [3], Device),
        };
        Safetensors.Write(FilePath, tensors, new Dictionary<string, string> { ["format"] = "pt", ["note"] = "ä\n\"" });
        using var file = Safetensors.Read(FilePath, Device);
        Assert.That(file.Tensors.Keys, Is.EqualTo(tensors.Keys));
        Assert.That(file.Metadata, Is.EquivalentTo(new Dictionary<string, string> { ["format"] = "pt", ["note"] = "ä\n\"" }));
        foreach (var (name, tensor) in tensors)
        {
            Assert.That(file.Tensors[name].Shape, Is.EqualTo(tensor.Shape), name);
            Assert.That(file.Tensors[name].DType, Is.EqualTo(tensor.DType), name);
        }

        Assert.That(Bits(file.Tensors["b"]), Is.EqualTo(Bits(tensors["b"])));
        Assert.That(Bits(file.Tensors["a.weight"]), Is.EqualTo(Bits(tensors["a.weight"])));
        Assert.That(file.Tensors["labels"].ToArray<long>(), Is.EqualTo(new[] { long.MaxValue, -1 }));
        Assert.That(file.Tensors["half"].ToArray<Half>(), Is.EqualTo(new[] { (Half)1.5, Half.MaxValue }));
        Assert.That(file.Tensors["größe \"x\""].ToArray<int>(), Is.EqualTo(new[] { 1, 2, 3 }));
    }

    [Test]
    public void AFileOfAnotherWriterIsRead()
    {
        WriteFile("""{"__metadata__":{"k":"v"},"second":{"shape":[2],"data_offsets":[4,12],"dtype":"F32"},"first":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]}}   """, 12);
        using var file = Safetensors.Read(FilePath, Device);
        Assert.That(file.Tensors.Keys, Is.EqualTo(new[] { "first", "second" }), "in the order of their bytes");
        Assert.That(file.Tensors["first"].ToArray<byte>(), Is.EqualTo(new byte[] { 0, 1, 2, 3 }));
        Assert.That(file.Metadata["k"], Is.EqualTo("v"));
    }

    [Test]
    public void EveryTruncationIsRefused()
    {
        using var scope = Device.Step();
        Safetensors.Write(FilePath, new Dictionary<string, Tensor> { ["x"] = Tensor.Ones([3], Device), ["y"] = Tensor.Ones([2, 2], Device) });
        var whole = File.ReadAllBytes(FilePath);
        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(FilePath, whole[..length]);
            Assert.That(() => Safetensors.Read(FilePath, Device), Throws.InstanceOf<CorruptFileException>().With.Message.Contains(FilePath), $"cut to {length} bytes");
        }

        File.WriteAllBytes(FilePath, [.. whole, 0]);
        Assert.That(() => Safetensors.Read(FilePath, Device), Throws.InstanceOf<CorruptFileException>(), "a byte too many");
    }

    [TestCase("""[]""", 0)]
    [TestCase("""null""", 0)]
    [TestCase("""{"x":5}""", 0)]
    [TestCase("""{"x":{}}""", 0)]
    [TestCase("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", 4)]
    [TestCase("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""", 4)]
    [TestCase("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8)]
    [TestCase("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}""", 8)]
    [TestCase("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4)]
    [TestCase("""{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4)]
    [TestCase("""{"x":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}""", 4)]
    [TestCase("""{"x":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}}""", 6)]
    [TestCase("""{"x":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}""", 4)]
    [TestCase("""{"x":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}""", 4)]
    [TestCase("""{"x":{"dtype":"F32","shape":[4294967296],"data_offsets":[0,17179869184]}}""", 16)]
    [TestCase("""{"x":{"dtype":"F32","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,4]}}""", 4)]
    [TestCase("""{"x":{"dtype":"I64","shape":[2147483647,2147483647],"data_offsets":[0,36893488130239234056]}}""", 8)]
    [TestCase("""{"x":{"dtype":"U8","shape":[2147483647,2147483647],"data_offsets":[0,4611686014132420609]}}""", 8)]
    [TestCase("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""", 4)]
    [TestCase("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8)]
    [TestCase("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4)]
    [TestCase("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12)]
    [TestCase("""{"__metadata__":{"k":5}}""", 0)]
    [TestCase("""{"__metadata__":{"k":null}}""", 0)]
    [TestCase("""{"__metadata__":"text"}""", 0)]
    [TestCase("""{"x":{"dtype":5,"shape":[1],"data_offsets":[0,4]}}""", 4)]
    [TestCase("""[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]""", 0)]
    [TestCase("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}""", 4)]
    public void AHeaderThatDoesNotAddUpIsRefused(string header, int dataBytes)
    {
        WriteFile(header, dataBytes);
        Assert.That(() => Safetensors.Read(FilePath, Device), Throws.InstanceOf<CorruptFileException>().With.Message.Contains(FilePath));
    }

    [TestCase(0xFFFF_FFFF_FFFF_FFFFUL)]
    [TestCase(0x7FFF_FFFF_FFFF_FFFFUL)]
    [TestCase(0x7FFF_FFFF_FFFF_FFF8UL)]
    [TestCase(0x0000_0000_8000_0000UL)]
    [TestCase(1000UL)]
    public void AHeaderLengthPastTheFileIsRefusedWithoutAllocatingIt(ulong length)
    {
        var bytes = new byte[64];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        File.WriteAllBytes(FilePath, bytes);
        Assert.That(() => Safetensors.Read(FilePath, Device), Throws.InstanceOf<CorruptFileException>().With.Message.Contains("header"));
    }

    [Test]
    public void AnUnknownDataTypeIsNamed()
    {
        WriteFile("""{"x":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}""", 1);
        Assert.That(() => Safetensors.Read(FilePath, Device), Throws.InstanceOf<NotSupportedException>().With.Message.Contains("F8_E4M3").And.Message.Contains("'x'"));
    }

    [Test]
    public void DamagedBytesNeverEscapeAsAnotherError()
    {
        using (Device.Step()) Safetensors.Write(FilePath, new Dictionary<string, Tensor> { ["abc"] = Tensor.Ones([3, 2], Device), ["y"] = Tensor.Ones([2], Device) });
        var whole = File.ReadAllBytes(FilePath);
        var random = new Random(1);
        for (var trial = 0; trial < Switches.Rows(500, 20_000); trial++)
        {
            var damaged = (byte[])whole.Clone();
            for (var i = 0; i <= trial % 3; i++) damaged[random.Next(whole.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(FilePath, damaged);
            try
            {
                Safetensors.Read(FilePath, Device).Dispose();
            }
            catch (Exception error) when (error is CorruptFileException or NotSupportedException)
            {
                Assert.That(error.Message, Does.Contain(FilePath));
            }
        }
    }

    [Test]
    public void AMissingFileIsThatError() =>
        Assert.That(() => Safetensors.Read(FilePath, Device), Throws.InstanceOf<FileNotFoundException>());

    [Test]
    public void AFailedWriteLeavesTheOldFileAndNothingElse()
    {
        using var scope = Device.Step();
        var good = Tensor.Ones([3], Device);
        Safetensors.Write(FilePath, new Dictionary<string, Tensor> { ["x"] = good });
        var before = File.ReadAllBytes(FilePath);
        var gone = Tensor.Ones([3], Device);
        gone.Dispose();
        Assert.That(() => Safetensors.Write(FilePath, new Dictionary<string, Tensor> { ["x"] = good, ["y"] = gone }), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(File.ReadAllBytes(FilePath), Is.EqualTo(before));
        Assert.That(Directory.GetFiles(folder), Has.Length.EqualTo(1), "no temporary is left");
        Assert.That(() => Safetensors.Write(Path.Combine(folder, "none", "x"), new Dictionary<string, Tensor>()), Throws.InstanceOf<DirectoryNotFoundException>());
    }

    [Test]
    public void TheDataBeginAtAMultipleOfEightBytes()
    {
        using var scope = Device.Step();
        foreach (var name in new[] { "x", "xy", "xyz", "wxyz" })
        {
            Safetensors.Write(FilePath, new Dictionary<string, Tensor> { [name] = Tensor.Ones([1], Device) });
            Assert.That(BinaryPrimitives.ReadInt64LittleEndian(File.ReadAllBytes(FilePath)) % 8, Is.Zero);
        }
    }

    private void WriteFile(string header, int dataBytes)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        File.WriteAllBytes(FilePath, [.. length, .. json, .. Enumerable.Range(0, dataBytes).Select(i => (byte)i)]);
    }

    private static int[] Bits(Tensor tensor) => Array.ConvertAll(tensor.ToArray<float>(), BitConverter.SingleToInt32Bits);
}
