using System.Net;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Messaging.Application.Attachments;

namespace Messaging.Infrastructure.Attachments;

/// <summary>Keeps files in a bucket of anything that speaks S3; the bucket is there.</summary>
public sealed class S3Storage : IFileStorage, IDisposable
{
    private readonly AmazonS3Client client;
    private readonly string bucket;

    public S3Storage(StorageSettings settings)
    {
        bucket = settings.Bucket!;
        var config = new AmazonS3Config
        {
            ForcePathStyle = settings.Endpoint is not null,
            MaxErrorRetry = 2,
            Timeout = TimeSpan.FromSeconds(30),
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (settings.Endpoint is { } endpoint)
            (config.ServiceURL, config.AuthenticationRegion) = (endpoint, settings.Region);
        else
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(settings.Region);
        client = settings.AccessKey is null
            ? new AmazonS3Client(config)
            : new AmazonS3Client(new BasicAWSCredentials(settings.AccessKey, settings.SecretKey), config);
    }

    public Task SaveAsync(string key, string path, string contentType, CancellationToken ct) => TryAsync(() => client.PutObjectAsync(
        new PutObjectRequest { BucketName = bucket, Key = key, FilePath = path, ContentType = contentType }, ct));

    public Task<Stream?> OpenAsync(string key, CancellationToken ct) => TryAsync(async () =>
    {
        try
        {
            var found = await client.GetObjectMetadataAsync(bucket, key, ct);
            return (Stream?)new SeekableStream(
                found.ContentLength, async (start, token) => await TryAsync(async () => (await client.GetObjectAsync(
                new GetObjectRequest { BucketName = bucket, Key = key, ByteRange = new ByteRange(start, found.ContentLength - 1) },
                token)).ResponseStream));
        }
        catch (AmazonS3Exception e) when (e.StatusCode is HttpStatusCode.NotFound)
        {
            return null;
        }
    });

    public Task RemoveAsync(string key, CancellationToken ct) => TryAsync(() => client.DeleteObjectAsync(bucket, key, ct));

    public void Dispose() => client.Dispose();

    private static async Task<T> TryAsync<T>(Func<Task<T>> act)
    {
        try
        {
            return await act();
        }
        catch (Exception e)
            when (e is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or TimeoutException)
        {
            throw new StorageUnavailableException(e);
        }
    }
}
