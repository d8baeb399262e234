namespace CnnNative.Vision.Images;

/// <summary>One pass over the picture: the pixels (X + i * StepX, Y + j * StepY). Adam7 has seven, a plain picture has one.</summary>
internal readonly record struct PngPass(int X, int Y, int StepX, int StepY, int Width, int Height)
{
    private static readonly (int X, int Y, int StepX, int StepY)[] Adam7 =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    /// <summary>The passes that hold pixels.</summary>
    public static IEnumerable<PngPass> Of(PngHeader header)
    {
        if (!header.IsInterlaced) return [new PngPass(0, 0, 1, 1, header.Width, header.Height)];
        return Adam7
            .Where(pass => pass.X < header.Width && pass.Y < header.Height)
            .Select(pass => new PngPass(
                pass.X, pass.Y, pass.StepX, pass.StepY,
                (header.Width - pass.X + pass.StepX - 1) / pass.StepX, (header.Height - pass.Y + pass.StepY - 1) / pass.StepY));
    }
}
