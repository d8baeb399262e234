namespace CnnNative.Vision.Datasets.Digits;

/// <summary>
/// How one digit is written: where a point of the unit box lands on the canvas, and how thick the pen is. Made of
/// additions, products, quotients and square roots only, whose bits are the same on every machine.
/// </summary>
internal readonly struct Hand
{
    private readonly float xx, xy, yx, yy, centreX, centreY;
    private readonly float bendX, bendY, squeezeX, squeezeY;
    private readonly float shake;

    /// <summary>Draws a hand at random.</summary>
    /// <param name="random">Source of the choices.</param>
    /// <param name="side">Side of the square canvas in pixels.</param>
    public Hand(ref RandomReader random, int side)
    {
        var height = side * random.Between(0.62f, 0.76f);
        var width = height * random.Between(0.72f, 1.12f);
        var slant = 0.12f + 0.15f * random.Bell();
        // A rotation without trigonometry: t = tan(angle / 2) gives cosine (1 - t^2) / (1 + t^2) and sine 2t / (1 + t^2).
        var t = 0.05f * random.Bell();
        var (cosine, sine) = ((1f - t * t) / (1f + t * t), 2f * t / (1f + t * t));
        xx = cosine * width;
        yx = sine * width;
        xy = (-cosine * slant - sine) * height;
        yy = (-sine * slant + cosine) * height;
        centreX = 0.5f * (side - 1) + 0.9f * random.Bell();
        centreY = 0.5f * (side - 1) + 0.9f * random.Bell();
        bendX = 0.13f * random.Bell();
        bendY = 0.09f * random.Bell();
        squeezeX = 0.16f * random.Bell();
        squeezeY = 0.11f * random.Bell();
        shake = random.Between(0.010f, 0.034f);
        Radius = random.Between(0.034f, 0.066f) * side;
        Radius = Math.Min(Radius, 0.12f * width);
        Softness = random.Between(0.5f, 0.95f);
        Ink = random.Between(0.8f, 1.15f);
        Noise = Math.Max(0f, random.Between(-14f, 14f));
    }

    /// <summary>Half the width of the pen in pixels.</summary>
    public float Radius { get; }

    /// <summary>Pixels over which the edge of a stroke fades, on either side.</summary>
    public float Softness { get; }

    /// <summary>Brightness of the ink; above 1 it saturates.</summary>
    public float Ink { get; }

    /// <summary>Amplitude of the noise, in steps of 1 / 255.</summary>
    public float Noise { get; }

    /// <summary>Moves a point as an unsteady hand does, then bends, slants, rotates and scales it onto the canvas.</summary>
    public (float X, float Y) Place(in ControlPoint point, ref RandomReader random)
    {
        var u = point.X - 0.5f + shake * random.Bell();
        var v = point.Y - 0.5f + shake * random.Bell();
        // Low-frequency distortions: one half wider than the other, and the axes bent to parabolas.
        var x = u * (1f + squeezeX * v * 2f) + bendX * (v * v - 0.1f);
        var y = v * (1f + squeezeY * u * 2f) + bendY * (u * u - 0.05f);
        return (centreX + xx * x + xy * y, centreY + yx * x + yy * y);
    }
}
