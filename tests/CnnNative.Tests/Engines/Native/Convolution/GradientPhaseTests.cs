using CnnNative.Engines.Native;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native.Convolution;

/// <summary>The phases of a stride, together, are the definition: every (index of dx, tap, index of dy) once, and no other.</summary>
[TestFixture]
public sealed class GradientPhaseTests
{
    [Test]
    public void Phases_visit_what_the_definition_visits(
        [Values(1, 5, 12)] int size, [Values(0, 1, 4)] int pad, [Values(1, 2, 3, 4)] int stride, [Values(1, 2, 3, 6)] int dilation, [Values(1, 2, 3, 5)] int window)
    {
        var expected = new HashSet<(int, int, int)>();
        for (var i = 0; i < size; i++)
        for (var tap = 0; tap < window; tap++)
        {
            if ((i + pad - tap * dilation) % stride == 0) expected.Add((i, tap, (i + pad - tap * dilation) / stride));
        }

        var found = new List<(int, int, int)>();
        var indices = new List<int>();
        for (var remainder = 0; remainder < stride; remainder++)
        {
            var phase = GradientPhase.Of(remainder, size, pad, stride, dilation, window);
            for (var i = 0; i < phase.Count; i++)
            {
                indices.Add(phase.First + i * stride);
                for (var t = 0; t < phase.Taps; t++)
                    found.Add((phase.First + i * stride, phase.FirstTap + t * phase.TapStep, i + phase.Origin + t * phase.Step));
            }
        }

        Assert.That(indices, Is.EquivalentTo(Enumerable.Range(0, size)), "every index of dx belongs to one phase");
        Assert.That(found, Is.EquivalentTo(expected));
    }
}
