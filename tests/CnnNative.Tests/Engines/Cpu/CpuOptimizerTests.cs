using CnnNative.Engines;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Cpu;

/// <summary>Three steps of each optimiser give the very bits of PyTorch 1.13 in float32; optimizer_bits.py beside this file printed them.</summary>
public sealed class CpuOptimizerTests
{
    private static readonly float[] Start = [1f, -0.5f, 0.1f, 3f, -1e-3f, 0.7f, -2.25f];

    private static readonly float[][] Gradients =
        [[0.3f, -0.1f, 1e-4f, 2f, 0.05f, -0.7f, 0f], [-0.2f, 0.15f, 3e-4f, 1f, -0.01f, -0.6f, 0.125f], [0.01f, 0.4f, -2e-4f, -0.5f, 0.002f, 0.9f, 1.5f]];

    private static readonly TestCaseData[] AdamCases =
    [
        new(new AdamSettings(0.01f, 0.9f, 0.999f, 1e-8f, 0f, 0), new uint[] { 0x3F7CBD20, 0xBEFF8875, 0x3DA03EBF, 0x403E6715, 0xBCA65D20, 0x3F3890A8, 0xC010EA0B }),
        new(new AdamSettings(0.01f, 0.8f, 0.99f, 1e-6f, 0.01f, 0), new uint[] { 0x3F7CC9B0, 0xBEFFF4E5, 0x3D90D2B4, 0x403E72DA, 0xBC9D633A, 0x3F384E63, 0xC0103C55 }),
    ];

    private static readonly TestCaseData[] SgdCases =
    [
        new(new SgdSettings(0.05f, 0f, 0f, 0f, false, false), new uint[] { 0x3F7E978D, 0xBF05C28F, 0x3DCCC78F, 0x40380001, 0xBB4B295F, 0x3F3851EC, 0xC0153333 }),
        new(new SgdSettings(0.05f, 0.9f, 0f, 5e-4f, false, false), new uint[] { 0x3F7A4B43, 0xBF054805, 0x3DCCB4A4, 0x402A2656, 0xBBE2E80D, 0x3F4E8705, 0xC0158A30 }),
        new(new SgdSettings(0.05f, 0.9f, 0.1f, 0f, false, false), new uint[] { 0x3F79DB24, 0xBF046C22, 0x3DCCBCF8, 0x402A9FBF, 0xBBE5B424, 0x3F4E3F14, 0xC0150106 }),
        new(new SgdSettings(0.05f, 0.9f, 0f, 5e-4f, true, false), new uint[] { 0x3F797019, 0xBF0A80F1, 0x3DCCADE3, 0x4024525C, 0xBC0A251E, 0x3F50E631, 0xC01A2CCC }),
    ];

    [TestCaseSource(nameof(AdamCases))]
    public void Adam(AdamSettings settings, uint[] bits) => Check(bits, (device, parameter, gradient, mean, square, step) =>
        device.Engine.Optimizer.Adam([new(parameter, gradient, mean, square)], settings with { Step = step }));

    [TestCaseSource(nameof(SgdCases))]
    public void Sgd(SgdSettings settings, uint[] bits) => Check(bits, (device, parameter, gradient, momentum, _, step) =>
        device.Engine.Optimizer.Sgd([new(parameter, gradient, settings.Momentum == 0f ? null : momentum)], settings with { First = step == 1 }));

    /// <summary>The same numbers alone, and many times over, so that whole vectors and the tail both have them.</summary>
    private static void Check(uint[] bits, Action<CpuDevice, Tensor, Tensor, Tensor, Tensor, int> update)
    {
        foreach (var copies in (int[])[1, 5])
        {
            using var device = new CpuDevice(1);
            using var scope = device.Inference();
            Shape shape = [copies * Start.Length];
            var (parameter, first, second) = (Tensor.From(Repeat(Start, copies), shape, device), Tensor.Zeros(shape, device), Tensor.Zeros(shape, device));
            for (var step = 1; step <= Gradients.Length; step++)
                update(device, parameter, Tensor.From(Repeat(Gradients[step - 1], copies), shape, device), first, second, step);
            Assert.That(Array.ConvertAll(parameter.ToArray<float>(), BitConverter.SingleToUInt32Bits), Is.EqualTo(Repeat(bits, copies)));
        }
    }

    private static T[] Repeat<T>(T[] values, int copies) => [.. Enumerable.Repeat(values, copies).SelectMany(value => value)];
}
