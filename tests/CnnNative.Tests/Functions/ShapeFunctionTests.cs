using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>Functions that move elements without changing them; every number is a small integer, so results are exact.</summary>
[EngineFixtures]
public sealed class ShapeFunctionTests(EngineUnderTest engine) : EngineTests(engine)
{
    private static readonly int[][][] Parts =
    [
        [[2, 3, 4, 5], [2, 3, 4, 5]], [[2, 3, 4, 5], [2, 3, 4, 5], [2, 3, 4, 5]], [[0, 3, 4, 5], [0, 3, 4, 5]], [[1, 443], [1, 443]], [[7], [7]], [[3, 2, 5], [3, 2, 5]],
    ];

    private static IEnumerable<TestCaseData> Concatenations() =>
        from shapes in Parts
        from axis in Enumerable.Range(-1, shapes[0].Length + 1)
        select new TestCaseData(shapes, axis).SetArgDisplayNames(string.Join("+", shapes.Select(shape => $"({string.Join(",", shape)})")), $"axis {axis}");

    [TestCaseSource(nameof(Concatenations))]
    public void ConcatPutsPartsBehindEachOther(int[][] shapes, int axis)
    {
        foreach (var layout in shapes[0].Length == 4 ? new[] { Layout.Nchw, Layout.Nhwc } : [Layout.Nchw])
        {
            using var scope = Device.Step();
            // The parts differ in size along the axis: the first keeps its size, the others grow by one each.
            var along = axis < 0 ? axis + shapes[0].Length : axis;
            var parts = shapes.Select((shape, i) => Count(new Shape(shape).With(along, shape[along] + i), 1000 * i, layout)).ToArray();
            var y = Functional.Concat(parts, axis);
            var expected = new Shape(shapes[0]).With(along, parts.Sum(part => part.Shape[along]));
            Assert.That(y.Shape, Is.EqualTo(expected));
            Assert.That(y.ToArray<float>(), Is.EqualTo(Join(parts, along)));

            y.Backward(Count(expected, 5, layout));
            var gradients = parts.Select(part => part.Grad!).ToArray();
            Assert.That(gradients.Select(gradient => gradient.Shape), Is.EqualTo(parts.Select(part => part.Shape)));
            Assert.That(Join(gradients, along), Is.EqualTo(Count(expected, 5, Layout.Nchw).ToArray<float>()), "the gradients, joined again");
        }
    }

    [Test]
    public void ConcatMixesLayouts()
    {
        using var scope = Device.Step();
        Tensor[] parts = [Count([2, 3, 4, 5], 0, Layout.Nchw), Count([2, 2, 4, 5], 1000, Layout.Nhwc)];
        var y = Functional.Concat(parts);
        Assert.That(y.ToArray<float>(), Is.EqualTo(Join(parts, 1)));
        y.Backward(Count([2, 5, 4, 5], 7, y.Layout));
        Assert.That(Join([parts[0].Grad!, parts[1].Grad!], 1), Is.EqualTo(Count([2, 5, 4, 5], 7, Layout.Nchw).ToArray<float>()));
    }

    [Test]
    public void AddSumsAndPassesTheGradientToBoth([Values] Layout layoutOfA, [Values] Layout layoutOfB)
    {
        using var scope = Device.Step();
        var (a, b) = (Count([2, 3, 4, 5], 0, layoutOfA), Count([2, 3, 4, 5], 100, layoutOfB));
        var y = Functional.Add(a, b);
        Assert.That(y.ToArray<float>(), Is.EqualTo(Numbers(120, i => 2f * i + 100)));
        y.Backward(Count([2, 3, 4, 5], 7, y.Layout));
        Assert.That(a.Grad!.ToArray<float>(), Is.EqualTo(Numbers(120, i => i + 7f)));
        Assert.That(b.Grad!.ToArray<float>(), Is.EqualTo(Numbers(120, i => i + 7f)));
    }

    [Test]
    public void AddOfATensorWithItselfDoublesTheGradient()
    {
        using var scope = Device.Step();
        var a = Count([443], 0, Layout.Nchw);
        Functional.Add(a, a).Backward(Count([443], 1, Layout.Nchw));
        Assert.That(a.Grad!.ToArray<float>(), Is.EqualTo(Numbers(443, i => 2f * (i + 1))));
    }

    [Test]
    public void MultiplyFollowsTheProductRule([Values] Layout layout)
    {
        using var scope = Device.Step();
        var (a, b) = (Count([2, 3, 4, 5], 1, layout), Count([2, 3, 4, 5], 2, layout));
        var y = Functional.Multiply(a, b);
        Assert.That(y.ToArray<float>(), Is.EqualTo(Numbers(120, i => (i + 1f) * (i + 2f))));
        y.Backward(Count([2, 3, 4, 5], 3, layout));
        Assert.That(a.Grad!.ToArray<float>(), Is.EqualTo(Numbers(120, i => (i + 3f) * (i + 2f))));
        Assert.That(b.Grad!.ToArray<float>(), Is.EqualTo(Numbers(120, i => (i + 3f) * (i + 1f))));
    }

    [Test]
    public void ScaleSumAndMeanHaveConstantGradients([Values] Layout layout)
    {
        using var scope = Device.Step();
        var x = Count([2, 3, 4, 4], 0, layout);
        var sum = Functional.Sum(Functional.Scale(x, 3));
        Assert.That(sum.Item(), Is.EqualTo(3 * 96 * 95 / 2));
        sum.Backward();
        Assert.That(x.Grad!.ToArray<float>(), Is.All.EqualTo(3f));
        x.ZeroGrad();
        var mean = Functional.Mean(x);
        Assert.That(mean.Item(), Is.EqualTo(47.5f).Within(1e-5));
        mean.Backward();
        Assert.That(x.Grad!.ToArray<float>(), Is.All.EqualTo(1 / 96f).Within(1e-9));
    }

    [Test]
    public void SumOfNothingIsZeroAndItsMeanIsNaN()
    {
        using var scope = Device.Step();
        var x = Count([0, 3], 0, Layout.Nchw);
        Assert.That(Functional.Sum(x).Item(), Is.Zero);
        Assert.That(Functional.Mean(x).Item(), Is.NaN);
        Functional.Sum(x).Backward();
        Assert.That(x.Grad!.Shape, Is.EqualTo(x.Shape));
    }

    [TestCase(1, -1, new[] { 2, 60 })]
    [TestCase(0, -1, new[] { 120 })]
    [TestCase(0, 1, new[] { 6, 4, 5 })]
    [TestCase(2, 2, new[] { 2, 3, 4, 5 })]
    [TestCase(-2, -1, new[] { 2, 3, 20 })]
    public void FlattenJoinsDimensionsInNchwOrder(int first, int last, int[] expected)
    {
        foreach (var layout in Enum.GetValues<Layout>())
        {
            using var scope = Device.Step();
            var x = Count([2, 3, 4, 5], 0, layout);
            var y = Functional.Flatten(x, first, last);
            Assert.That(y.Shape, Is.EqualTo(new Shape(expected)));
            Assert.That(y.ToArray<float>(), Is.EqualTo(Numbers(120, i => i)));
            y.Backward(Count(new Shape(expected), 9, y.Layout));
            Assert.That(x.Grad!.ToArray<float>(), Is.EqualTo(Numbers(120, i => i + 9f)));
        }
    }

    [Test]
    public void FlattenKeepsAnEmptyBatch()
    {
        using var scope = Device.Step();
        Assert.That(Functional.Flatten(Count([0, 3, 4, 5], 0, Layout.Nchw)).Shape, Is.EqualTo(new Shape(0, 60)));
    }

    /// <summary>A leaf of the numbers start, start + 1, ... in NCHW order.</summary>
    private Tensor Count(Shape shape, int start, Layout layout)
    {
        var leaf = Tensor.From(Numbers((int)shape.Count, i => start + i), shape, Device).ToLayout(layout).Detach();
        leaf.RequiresGrad = true;
        return leaf;
    }

    private static float[] Numbers(int count, Func<int, float> number) => [.. Enumerable.Range(0, count).Select(number)];

    /// <summary>The elements of parts, interleaved as one tensor along the axis.</summary>
    private static float[] Join(Tensor[] parts, int axis)
    {
        var values = parts.Select(part => part.ToArray<float>()).ToArray();
        var lengths = parts.Select(part => (int)part.Shape.CountFrom(axis)).ToArray();
        var outer = parts[0].Shape.Sizes[..axis].ToArray().Aggregate(1, (product, size) => product * size);
        return [.. Enumerable.Range(0, outer).SelectMany(o => values.SelectMany((part, i) => part.Skip(o * lengths[i]).Take(lengths[i])))];
    }
}
