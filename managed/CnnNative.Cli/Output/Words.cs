using System.Globalization;
using CnnNative.Training;

namespace CnnNative.Cli.Output;

/// <summary>Numbers as people read them, the same in every country.</summary>
internal static class Words
{
    public static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A number; nothing for zero, which would only distract in a table.</summary>
    public static string NumberOrNothing(long value) => value == 0 ? "" : Number(value);

    public static string Loss(double value) => value.ToString("F4", CultureInfo.InvariantCulture);

    public static string Percent(double share) => (100 * share).ToString("F2", CultureInfo.InvariantCulture) + " %";

    public static string Rate(double imagesPerSecond) => imagesPerSecond.ToString("N0", CultureInfo.InvariantCulture);

    public static string Accuracy(Tally tally) => $"{Percent(tally.Accuracy)} ({Number(tally.Hits)} of {Number(tally.Images)} images)";

    public static string Time(TimeSpan time) => time.TotalMinutes < 1
        ? time.TotalSeconds.ToString("F1", CultureInfo.InvariantCulture) + " s"
        : $"{(int)time.TotalMinutes} min {time.Seconds} s";

    /// <summary>A data type, as kernels are named by it.</summary>
    public static string Of(DType type) => type switch
    {
        DType.Float32 => "f32",
        DType.BFloat16 => "bf16",
        DType.Float16 => "f16",
        _ => type.ToString(),
    };

    public static string Bytes(long bytes) => bytes switch
    {
        < 1L << 10 => $"{bytes} bytes",
        < 1L << 20 => (bytes / (double)(1L << 10)).ToString("F1", CultureInfo.InvariantCulture) + " KiB",
        < 1L << 30 => (bytes / (double)(1L << 20)).ToString("F1", CultureInfo.InvariantCulture) + " MiB",
        _ => (bytes / (double)(1L << 30)).ToString("F2", CultureInfo.InvariantCulture) + " GiB",
    };
}
