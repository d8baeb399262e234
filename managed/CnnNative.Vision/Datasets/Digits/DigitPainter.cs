namespace CnnNative.Vision.Datasets.Digits;

/// <summary>Writes one digit, white on black.</summary>
internal static class DigitPainter
{
    public const int Side = 28;
    private const int MostPoints = 16;

    /// <summary>Paints a digit.</summary>
    /// <param name="digit">0 to 9.</param>
    /// <param name="random">Decides everything but the digit.</param>
    /// <param name="pixels">28 x 28 bytes, overwritten.</param>
    public static void Paint(int digit, ref RandomReader random, Span<byte> pixels)
    {
        Span<float> coverage = stackalloc float[Side * Side];
        coverage.Clear();
        var variants = DigitShapes.Of(digit);
        var variant = variants[random.Below(variants.Length)];
        var hand = new Hand(ref random, Side);
        var canvas = new Canvas(coverage, Side, hand.Softness);
        foreach (var stroke in variant) DrawStroke(stroke, hand, canvas, ref random);
        Develop(coverage, hand, ref random, pixels);
    }

    private static void DrawStroke(ControlPoint[] stroke, in Hand hand, Canvas canvas, ref RandomReader random)
    {
        Span<(float X, float Y)> points = stackalloc (float, float)[MostPoints];
        Span<float> radii = stackalloc float[MostPoints];
        for (var i = 0; i < stroke.Length; i++)
        {
            points[i] = hand.Place(stroke[i], ref random);
            radii[i] = hand.Radius * (1f + 0.14f * random.Bell());
        }

        for (var i = 0; i + 1 < stroke.Length; i++)
        {
            // At an end or a corner the neighbour is the point itself: the curve leaves straight.
            var before = i == 0 || stroke[i].IsCorner ? points[i] : points[i - 1];
            var after = i + 2 == stroke.Length || stroke[i + 1].IsCorner ? points[i + 1] : points[i + 2];
            canvas.DrawSpan(before, points[i], points[i + 1], after, radii[i], radii[i + 1]);
        }
    }

    /// <summary>From coverage to bytes, with the ink's brightness and the noise of a scan.</summary>
    private static void Develop(ReadOnlySpan<float> coverage, in Hand hand, ref RandomReader random, Span<byte> pixels)
    {
        for (var i = 0; i < pixels.Length; i++)
        {
            var value = 255f * Math.Min(1f, hand.Ink * coverage[i]);
            if (hand.Noise > 0f) value += hand.Noise * (random.Unit() + random.Unit() - 1f);
            pixels[i] = (byte)Math.Clamp(value + 0.5f, 0f, 255f);
        }
    }
}
