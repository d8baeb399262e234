namespace CnnNative.Vision.Images;

/// <summary>
/// Resizing by area: a new pixel is the mean of what it covers of the old ones, whole and in part. Along an axis from S
/// to D pixels, lengths are measured in 1 / D of an old pixel: an old one is D long, a new one S, and all overlaps are integers.
/// </summary>
internal static class AreaResize
{
    /// <summary>Resizes one plane.</summary>
    public static void Apply(ReadOnlySpan<byte> source, int sourceHeight, int sourceWidth, Span<byte> target, int height, int width)
    {
        var line = new ulong[width];
        var sums = new ulong[width];
        var area = (ulong)sourceHeight * (ulong)sourceWidth;
        var lineAt = -1;
        for (var row = 0; row < height; row++)
        {
            Array.Clear(sums);
            foreach (var (y, overlap) in new Cover(row, sourceHeight, height))
            {
                if (lineAt != y) ResizeLine(source.Slice(y * sourceWidth, sourceWidth), line);
                lineAt = y;
                for (var x = 0; x < width; x++) sums[x] += overlap * line[x];
            }

            for (var x = 0; x < width; x++) target[row * width + x] = (byte)((sums[x] + area / 2) / area);
        }
    }

    /// <summary>The sums of one row, each of weight S.</summary>
    private static void ResizeLine(ReadOnlySpan<byte> source, Span<ulong> line)
    {
        for (var column = 0; column < line.Length; column++)
        {
            ulong sum = 0;
            foreach (var (x, overlap) in new Cover(column, source.Length, line.Length)) sum += overlap * source[x];
            line[column] = sum;
        }
    }

    /// <summary>The old pixels under one new pixel, and how much of each it covers.</summary>
    private struct Cover(int index, int sourceSize, int size)
    {
        private readonly long from = (long)index * sourceSize, to = (index + 1L) * sourceSize;
        private int at = (int)((long)index * sourceSize / size) - 1;

        public readonly Cover GetEnumerator() => this;

        public readonly (int Index, ulong Overlap) Current => (at, (ulong)(Math.Min(to, (at + 1L) * size) - Math.Max(from, (long)at * size)));

        public bool MoveNext() => (long)++at * size < to;
    }
}
