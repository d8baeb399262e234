using System.Diagnostics.CodeAnalysis;

namespace CnnNative.Training;

/// <summary>Shapes as people write them: 1x28x28.</summary>
internal static class ShapeText
{
    public static string Format(Shape shape) => string.Join('x', shape);

    /// <summary>Reads positive sizes with x between them.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Shape? shape)
    {
        shape = null;
        var parts = text.Split('x');
        var sizes = new int[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], out sizes[i]) || sizes[i] < 1) return false;
        }

        try
        {
            shape = new Shape(sizes);
            return true;
        }
        catch (ShapeException)
        {
            return false;
        }
    }
}
