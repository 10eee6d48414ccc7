# The service and its migrations. Writes only to /tmp and /data, so that the rest can be mounted read-only.
FROM mcr.microsoft.com/dotnet/sdk:10.0.401 AS build
WORKDIR /source
ENV CI=true
COPY . .
RUN dotnet publish src/Messaging.Api -c Release -o /app \
 && dotnet publish db/Messaging.Migrations -c Release -o /app/db

FROM mcr.microsoft.com/dotnet/aspnet:10.0.12
RUN apt-get update \
 && apt-get install -y --no-install-recommends libvips-tools util-linux \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app .
# Made here, so that a new volume on it belongs to the user of the image.
RUN mkdir /data && chown "$APP_UID" /data
ENV MESSAGING_DATA=/data \
    Messaging__Storage__Path=/data/files \
    ASPNETCORE_URLS=http://+:8080 \
    DOTNET_EnableDiagnostics=0
EXPOSE 8080
VOLUME /data
USER $APP_UID
ENTRYPOINT ["dotnet", "Messaging.Api.dll"]
CMD ["serve"]
