namespace Messaging.Api.Security;

/// <summary>Answers HEAD as GET without the body, as HTTP asks of every address that takes GET.</summary>
public sealed class HeadRequests(RequestDelegate next)
{
    private static readonly object Key = new();

    /// <summary>Whether nothing but the answer's head is asked for: for what would not end by itself.</summary>
    public static bool IsHead(HttpContext context) => context.Items.ContainsKey(Key);

    public async Task InvokeAsync(HttpContext context)
    {
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await next(context);
            return;
        }
        context.Items[Key] = true;
        context.Request.Method = HttpMethods.Get;
        context.Response.Body = Stream.Null;
        await next(context);
    }
}
