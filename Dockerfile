# One image for every process; the command says which. Built in stages, so that only compiled code and production
# dependencies get into it. Node 24: the AWS SDK's releases from 2027 on need 22 or newer.
FROM node:24-slim AS build
WORKDIR /app
# First what the dependencies depend on, so that a change of the code keeps this layer.
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY apps/cli/package.json apps/cli/
COPY apps/dashboard/package.json apps/dashboard/
COPY apps/scheduler/package.json apps/scheduler/
COPY apps/worker/package.json apps/worker/
COPY packages/shared/package.json packages/shared/
COPY packages/ses-local/package.json packages/ses-local/
RUN npx --yes pnpm@12.21.0 install --frozen-lockfile
COPY tsconfig.base.json ./
COPY apps apps
COPY packages packages
RUN node node_modules/typescript/bin/tsc -b apps/* packages/ses-local
RUN CI=true npx --yes pnpm@12.21.0 install --frozen-lockfile --prod

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app /app
COPY campaigns campaigns
USER node
STOPSIGNAL SIGTERM
CMD ["node", "apps/worker/dist/main.js"]
