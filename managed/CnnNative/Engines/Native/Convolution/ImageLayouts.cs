namespace CnnNative.Engines.Native;

/// <summary>Images brought into the layout that a kernel reads.</summary>
internal readonly struct ImageLayouts(NativeContext context, DType type)
{
    /// <summary>The images in a layout: themselves, or a copy in working memory, which the caller gives back.</summary>
    /// <param name="images">The images (N, channels, H, W).</param>
    /// <param name="layout">The layout to have them in.</param>
    /// <param name="shape">Their shape.</param>
    /// <param name="ordered">The images in that layout.</param>
    public Workspace InLayout(Placed images, Layout layout, Shape shape, out Placed ordered)
    {
        int channels = shape[1], pixels = shape[2] * shape[3];
        ordered = images with { Layout = layout };
        if (images.Layout == layout || shape.Count == 0 || channels == 1 || pixels == 1) return default;
        var room = context.Rent(shape.Count * type.Size());
        ordered = new(room, layout);
        new NativeLayout(context).Exchange(images, room, shape[0], channels, pixels, type);
        return room;
    }
}
