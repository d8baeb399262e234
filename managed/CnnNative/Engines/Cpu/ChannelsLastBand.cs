namespace CnnNative.Engines.Cpu;

/// <summary>
/// Some rows of a padded image in working memory with the channels of a pixel side by side: (rows, columns, pitch), where the
/// pitch is the number of channels rounded up to whole vectors. What lies between is never set and never matters.
/// </summary>
/// <param name="Channels">Channels of the image.</param>
/// <param name="H">Height of the image.</param>
/// <param name="W">Width of the image.</param>
/// <param name="PadTop">Rows that stand above the image.</param>
/// <param name="PadLeft">Columns that stand left of the image.</param>
/// <param name="PaddingMode">What stands outside.</param>
/// <param name="Columns">Columns of the band, padding included: at least what stands left of the image and the image.</param>
internal readonly unsafe record struct ChannelsLastBand(int Channels, int H, int W, int PadTop, int PadLeft, PaddingMode PaddingMode, int Columns)
{
    /// <summary>Distance of pixels.</summary>
    public int Pitch { get; } = RoundUp(Channels);

    /// <summary>Distance of rows.</summary>
    public nint RowPitch => (nint)Columns * Pitch;

    /// <summary>Channels rounded up to whole vectors.</summary>
    public static int RoundUp(int channels) => (channels + GemmKernels.Width - 1) / GemmKernels.Width * GemmKernels.Width;

    /// <summary>Writes rows of the padded image.</summary>
    /// <param name="image">The image (channels, H, W).</param>
    /// <param name="firstRow">The first row, counted from the first of the padding.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="band">Where to.</param>
    public void Fill(float* image, int firstRow, int rows, float* band)
    {
        for (var i = 0; i < rows; i++)
        {
            var h = PaddingIndex.Source(firstRow + i - PadTop, H, PaddingMode);
            var row = band + i * RowPitch;
            if (h < 0) new Span<float>(row, checked((int)RowPitch)).Clear();
            else FillRow(image + (nint)h * W, row);
        }
    }

    /// <summary>Reads the first columns of some rows back into an image without padding.</summary>
    /// <param name="band">Where from.</param>
    /// <param name="image">The image (channels, H, W).</param>
    /// <param name="firstRow">The first row; those past the image are dropped.</param>
    /// <param name="rows">Number of rows.</param>
    public void Empty(float* band, float* image, int firstRow, int rows)
    {
        for (var i = 0; i < Math.Min(rows, H - firstRow); i++)
            CpuTranspose.Copy(W, Channels, band + i * RowPitch, Pitch, image + (nint)(firstRow + i) * W, (nint)H * W);
    }

    private void FillRow(float* source, float* row)
    {
        CpuTranspose.Copy(Channels, W, source, (nint)H * W, row + (nint)PadLeft * Pitch, Pitch);
        for (var j = 0; j < PadLeft; j++) FillBorder(row, j);
        for (var j = PadLeft + W; j < Columns; j++) FillBorder(row, j);
    }

    /// <summary>A pixel outside the image: that of the row which stands there, or zeros.</summary>
    private void FillBorder(float* row, int column)
    {
        var target = row + (nint)column * Pitch;
        var w = PaddingIndex.Source(column - PadLeft, W, PaddingMode);
        if (w < 0) new Span<float>(target, Pitch).Clear();
        else CpuCopy.Row(row + (nint)(w + PadLeft) * Pitch, target, Pitch);
    }
}
