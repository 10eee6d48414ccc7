using Messaging.Api.Configuration;

namespace Messaging.Api.Receipts;

/// <summary>Who has received and read.</summary>
public sealed class ReceiptsModule : ApiModule
{
    public override void Map(IEndpointRouteBuilder routes) => routes.MapReceipts();
}
