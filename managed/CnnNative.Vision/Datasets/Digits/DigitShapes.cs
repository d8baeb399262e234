using System.Globalization;

namespace CnnNative.Vision.Datasets.Digits;

/// <summary>A point that a pen passes; in a unit box with y downwards.</summary>
/// <param name="X">0 at the left, 1 at the right.</param>
/// <param name="Y">0 at the top, 1 at the bottom.</param>
/// <param name="IsCorner">Whether the pen turns sharply here.</param>
internal readonly record struct ControlPoint(float X, float Y, bool IsCorner);

/// <summary>
/// How people write the ten digits: for each a few variants, each a few strokes, each a line of points that the pen
/// passes smoothly. Written as "x,y" in hundredths of the box; "!" marks a corner and "|" lifts the pen.
/// </summary>
internal static class DigitShapes
{
    private static readonly string[][] Texts =
    [
        [
            "52,4 28,16 18,50 27,84 50,96 73,84 82,50 73,16 50,4",
            "62,8 36,8 18,42 26,82 52,96 76,76 80,36 62,7 46,5",
            "46,6 24,28 20,64 40,94 66,90 80,58 74,20 52,6 38,12 60,20",
        ],
        [
            "50,3 50,50 50,97",
            "30,24 42,15 53,4! 53,50 53,97",
            "30,24 42,15 52,4! 52,50 52,95 | 28,96 52,95 76,96",
            "58,3 51,50 42,97",
        ],
        [
            "20,26 32,8 58,5 76,22 68,46 44,70 18,95! 50,94 84,94",
            "22,22 44,5 72,12 74,36 52,66 27,90 19,83 34,76 58,90 84,90",
            "18,30 26,11 50,4 74,16 73,40 50,65 16,94! 48,88 84,96",
            "24,14 56,6 74,20 66,44 20,92! 80,95",
        ],
        [
            "22,15 45,4 72,14 70,35 42,46! 72,54 80,75 56,96 20,87",
            "20,8 48,8 76,8! 46,42! 72,51 79,76 52,97 18,87",
            "24,12 50,4 74,19 62,40 40,47 64,51 80,72 60,94 20,90",
            "20,20 46,4 70,18 60,38 36,45! 68,52 74,80 44,97 22,84",
        ],
        [
            "28,5 22,30 19,56! 50,56 84,55 | 66,14 63,55 61,97",
            "70,97 67,50 66,4! 40,34 14,65! 50,66 89,64",
            "30,6 22,30 27,50 48,55 70,47 | 75,5 70,50 66,97",
            "60,4 36,34 16,60! 50,61 86,58 | 64,34 62,66 58,97",
        ],
        [
            "78,6 54,6 32,6! 29,26 26,44! 52,38 76,52 79,78 54,96 20,87",
            "34,8 30,28 28,45! 56,40 78,60 70,88 44,97 18,86 | 34,8 58,7 82,5",
            "76,8 50,6 32,19 36,39 62,48 77,68 60,92 20,91",
            "72,8 36,9! 30,46! 58,46 74,66 64,90 40,97 22,88",
        ],
        [
            "68,5 42,24 24,58 28,86 52,97 75,81 70,60 48,53 26,67",
            "60,4 34,34 24,70 42,96 70,88 74,66 54,54 29,68",
            "40,4 28,45 25,76 48,97 74,85 72,63 48,56 27,72",
            "74,10 48,10 28,36 22,70 42,95 68,88 70,64 44,56 24,74",
        ],
        [
            "18,8 48,8 80,8! 60,45 42,97",
            "18,9 48,9 80,8! 60,46 44,97 | 34,52 54,50 72,49",
            "20,24 22,8! 50,8 80,8! 64,50 48,97",
            "16,15 45,12 82,6! 62,34 53,64 50,97",
        ],
        [
            "72,16 48,4 28,18 40,39 66,58 76,79 50,97 25,80 38,58 64,38 74,18 62,6",
            "50,48 29,30 36,8 64,7 71,28 50,48 25,68 32,92 66,95 77,71 50,48",
            "70,11 42,4 26,23 48,45 74,70 60,95 32,93 25,73 48,48 72,28 64,8",
            "50,4 30,20 48,42 68,24 50,4 | 50,43 24,68 48,97 76,72 50,43",
        ],
        [
            "74,24 54,5 29,16 25,40 46,52 70,38 76,16! 72,56 66,97",
            "72,18 46,5 24,28 38,52 66,44 76,16 77,55 64,87 36,96",
            "70,8 42,6 24,30 42,50 68,36 72,9! 71,52 70,97",
            "58,6 34,14 30,40 54,46 70,26 58,6 | 71,22 66,60 50,97",
        ],
    ];

    private static readonly ControlPoint[][][][] Shapes =
        Array.ConvertAll(Texts, variants => Array.ConvertAll(variants, variant => Array.ConvertAll(variant.Split(" | "), ParseStroke)));

    /// <summary>The variants of one digit, each a list of strokes.</summary>
    public static ControlPoint[][][] Of(int digit) => Shapes[digit];

    private static ControlPoint[] ParseStroke(string text) => Array.ConvertAll(text.Split(' '), ParsePoint);

    private static ControlPoint ParsePoint(string text)
    {
        var parts = text.TrimEnd('!').Split(',');
        return new ControlPoint(Hundredths(parts[0]), Hundredths(parts[1]), text.EndsWith('!'));
    }

    private static float Hundredths(string text) => int.Parse(text, CultureInfo.InvariantCulture) / 100f;
}
