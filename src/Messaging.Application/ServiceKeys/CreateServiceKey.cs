using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.ServiceKeys;
using NodaTime;

namespace Messaging.Application.ServiceKeys;

/// <summary>Makes a key for another service.</summary>
/// <param name="Name">For people: which service it is for.</param>
public sealed record CreateServiceKey(string Name, IReadOnlyList<Scope> Scopes) : ICommand<CreatedServiceKey>;

/// <summary>A new key, as shown to its creator.</summary>
/// <param name="Key">The whole key, shown only once: only its hash is stored.</param>
public sealed record CreatedServiceKey(string Id, string Name, IReadOnlyList<Scope> Scopes, string Key);

public sealed class CreateServiceKeyValidator : AbstractValidator<CreateServiceKey>
{
    public CreateServiceKeyValidator()
    {
        RuleFor(r => r.Name)
            .Must(name => !string.IsNullOrWhiteSpace(name) && StrictText.Length(name) <= 100)
            .WithMessage("A name of 1 to 100 characters is expected.");
        RuleFor(r => r.Scopes)
            .Must(scopes => scopes.Count > 0 && scopes.Distinct().Count() == scopes.Count)
            .WithMessage("At least one scope is expected, and none twice.");
    }
}

public sealed class CreateServiceKeyHandler(DbSession session, IClock clock) : IRequestHandler<CreateServiceKey, CreatedServiceKey>
{
    private const string InsertSql =
        """
        INSERT INTO service_keys (id, name, secret_hash, scopes, created_at)
        VALUES (@Id, @Name, @SecretHash, @Scopes, @Now)
        """;

    public async Task<CreatedServiceKey> Handle(CreateServiceKey command, CancellationToken ct)
    {
        var key = ServiceKey.New();
        await session.ExecuteAsync(
            InsertSql,
            new
            {
                key.Id,
                command.Name,
                SecretHash = key.Hash(),
                Scopes = command.Scopes.Select(ScopeNames.NameOf).ToArray(),
                Now = clock.GetCurrentInstant(),
            },
            ct);
        return new CreatedServiceKey(key.Id, command.Name, command.Scopes, key.Reveal());
    }
}
