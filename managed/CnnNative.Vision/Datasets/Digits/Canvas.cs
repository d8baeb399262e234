namespace CnnNative.Vision.Datasets.Digits;

/// <summary>A square of coverages from 0 to 1, drawn on with a round pen whose edge fades smoothly.</summary>
internal readonly ref struct Canvas(Span<float> coverage, int side, float softness)
{
    private const int StepsPerSpan = 6;
    private readonly Span<float> coverage = coverage;
    private readonly int side = side;
    private readonly float softness = softness;

    /// <summary>
    /// Draws a cubic span (Catmull and Rom, 1974) from <paramref name="p1"/> to <paramref name="p2"/>, whose neighbours
    /// on the stroke are <paramref name="p0"/> and <paramref name="p3"/>, with the pen's radius going from one value to the other.
    /// </summary>
    public void DrawSpan((float X, float Y) p0, (float X, float Y) p1, (float X, float Y) p2, (float X, float Y) p3, float radius1, float radius2)
    {
        var (x, y, radius) = (p1.X, p1.Y, radius1);
        for (var step = 1; step <= StepsPerSpan; step++)
        {
            var t = step / (float)StepsPerSpan;
            var (nextX, nextY) = (Cubic(p0.X, p1.X, p2.X, p3.X, t), Cubic(p0.Y, p1.Y, p2.Y, p3.Y, t));
            var nextRadius = radius1 + (radius2 - radius1) * t;
            DrawSegment(x, y, radius, nextX, nextY, nextRadius);
            (x, y, radius) = (nextX, nextY, nextRadius);
        }
    }

    private static float Cubic(float p0, float p1, float p2, float p3, float t)
    {
        var a = 3f * (p1 - p2) + p3 - p0;
        var b = 2f * p0 - 5f * p1 + 4f * p2 - p3;
        return p1 + 0.5f * t * (p2 - p0 + t * (b + t * a));
    }

    private void DrawSegment(float x1, float y1, float radius1, float x2, float y2, float radius2)
    {
        var reach = Math.Max(radius1, radius2) + softness;
        var (left, right) = Range(Math.Min(x1, x2) - reach, Math.Max(x1, x2) + reach);
        var (top, bottom) = Range(Math.Min(y1, y2) - reach, Math.Max(y1, y2) + reach);
        var (dx, dy) = (x2 - x1, y2 - y1);
        var squaredLength = dx * dx + dy * dy;
        var perLength = squaredLength > 0f ? 1f / squaredLength : 0f;
        for (var row = top; row <= bottom; row++)
        {
            for (var column = left; column <= right; column++)
            {
                var (px, py) = (column - x1, row - y1);
                var t = Math.Clamp((px * dx + py * dy) * perLength, 0f, 1f);
                var (ex, ey) = (px - t * dx, py - t * dy);
                var depth = radius1 + (radius2 - radius1) * t - MathF.Sqrt(ex * ex + ey * ey);
                if (depth <= -softness) continue;
                var edge = Math.Min(0.5f + 0.5f * depth / softness, 1f);
                ref var pixel = ref coverage[row * side + column];
                pixel = Math.Max(pixel, edge * edge * (3f - 2f * edge));
            }
        }
    }

    /// <summary>The pixels between two coordinates that lie on the canvas.</summary>
    private (int First, int Last) Range(float from, float to) =>
        ((int)Math.Clamp(MathF.Ceiling(from), 0f, side), (int)Math.Clamp(MathF.Floor(to), -1f, side - 1));
}
