// Words of the pictures that stand in lessons, in both languages. Used when pages are built. Knows no page.

export interface Step {
  who: string;
  what: string;
}

export const pictures = {
  'zh-TW': {
    apply: {
      title: 'kubectl apply 之後發生的事',
      steps: [
        { who: 'kubectl', what: '讀檔、問 API 有哪些種類，算出和叢集裡不同的地方，送出請求。' },
        { who: 'API server', what: '你是誰（認證）、可不可以（授權）。不行就是 403 Forbidden。' },
        { who: '准入控制', what: '補上預設值、問 webhook、驗證。不合規矩就是 422 Invalid。' },
        { who: 'etcd', what: '存下來，配一個新版號。到這裡 kubectl 就說 created 或 configured 了。' },
        { who: 'Deployment controller', what: '看到新的 Deployment，做出一個 ReplicaSet。' },
        { who: 'ReplicaSet controller', what: '看到還缺 Pod，做出 Pod。它們還沒有節點，所以是 Pending。' },
        { who: 'scheduler', what: '加總請求量，替每個 Pod 挑一個節點；挑不到就留下 FailedScheduling。' },
        { who: 'kubelet', what: '看到自己節點上有新的 Pod：拉映像檔、掛儲存空間、啟動容器。' },
        { who: 'kubelet', what: '探針過了，Pod 就是 Ready，Service 才把它放進端點。' },
      ] as Step[],
      note: '每一個都只和 API server 講話。所以卡住的時候，看最後一個寫下紀錄的是誰。',
    },
    life: {
      title: 'Pod 的一生',
      flow: [
        { state: 'Pending', what: '物件有了，還沒有節點，或映像檔還在拉。' },
        { state: 'ContainerCreating', what: '有節點了：掛儲存空間、拉映像檔、設網路。' },
        { state: 'Running', what: '至少一個容器在跑。還不等於可以用。' },
        { state: 'Ready', what: '探針過了，Service 會把請求送進來。' },
        { state: 'Terminating', what: '收到 SIGTERM，有 30 秒收尾，然後 SIGKILL。' },
      ],
      detours: [
        { from: 'Pending', state: 'FailedScheduling', what: '請求量排不進任何節點。' },
        { from: 'ContainerCreating', state: 'ImagePullBackOff', what: '拿不到映像檔，等一下再試。' },
        {
          from: 'ContainerCreating',
          state: 'CreateContainerConfigError',
          what: 'ConfigMap 或 Secret 拿不到。',
        },
        { from: 'Running', state: 'CrashLoopBackOff', what: '程式一直結束，等得越來越久再啟動。' },
        { from: 'Running', state: 'OOMKilled', what: '用的記憶體超過自己的上限。' },
      ],
      detour: '走不下去的時候',
    },
    request: {
      title: '一個請求的路',
      steps: [
        { who: '瀏覽器', what: 'http://localhost:8080，經 port-forward 進叢集' },
        { who: 'istio-ingressgateway', what: '大門。它是 Pending 的話，後面都不用看' },
        { who: 'oauth2-proxy', what: '認得你嗎？不認得就送去 Dex 登入' },
        { who: 'Istio', what: '驗權杖，寫上 kubeflow-userid' },
        { who: 'VirtualService', what: '看路徑開頭，選應用程式或模型' },
        { who: 'sidecar', what: 'Pod 裡的代理再問一次政策' },
        { who: 'KServe 的模型', what: '讀請求，回預測' },
      ] as Step[],
    },
    training: {
      title: '訓練時誰和誰講話',
      items: [
        {
          name: 'PyTorchJob',
          kind: 'ring',
          what: '每個 Pod 一樣大，彼此交換梯度。rank 0 只是大家先找到的那一個。',
          parts: ['rank 0', 'rank 1', 'rank 2', 'rank 3'],
        },
        {
          name: 'TFJob',
          kind: 'star',
          what: '參數放在參數伺服器上，worker 拿回去算，再把梯度送來。',
          parts: ['PS', 'worker 0', 'worker 1', 'worker 2'],
        },
        {
          name: 'MPIJob',
          kind: 'launch',
          what: 'launcher 用 SSH 把程序開到每個 worker 上，之後 worker 彼此講話。',
          parts: ['launcher', 'worker 0', 'worker 1', 'worker 2'],
        },
        {
          name: 'TrainJob',
          kind: 'chain',
          what: '你只寫短短的 TrainJob；藍圖來自 runtime，真正跑的是 JobSet 裡的 Pod。',
          parts: ['TrainJob', 'runtime', 'JobSet', 'Pod'],
        },
      ],
    },
    memory: {
      title: '整套 Kubeflow 26.03.1 請求多少',
      cpu: 'CPU',
      memory: '記憶體',
      pods: 'Pod',
      part: '哪一塊',
      total: '合計',
      node: '再加上 minikube 自己的 kube-system，4 GiB 的節點連一半都放不下。',
      mark: '4 GiB 的節點',
      note: '排程器加總的請求量，含 sidecar；不是實際用量。',
      groups: {
        istio: 'Istio（大門與網格）',
        knative: 'Knative',
        pipelines: 'Pipelines',
        registry: 'Model Registry（Hub）',
        kserve: 'KServe',
        katib: 'Katib',
        training: 'Trainer',
        spark: 'Spark Operator',
        access: '登入與憑證',
        desk: '儀表板與 Notebooks',
      } as Record<string, string>,
    },
    architecture: {
      title: 'Kubeflow 的架構：選一塊來看',
      what: '它是什麼',
      needs: '它要靠',
      carries: '靠它的有',
      pods: '它的 Pod',
      nobody: '沒有，它站在 Kubernetes 上',
      lesson: '讀這一課',
      where: '命名空間',
      choose: '選一個元件',
    },
  },
  en: {
    apply: {
      title: 'What happens after kubectl apply',
      steps: [
        {
          who: 'kubectl',
          what: 'reads the file, asks the API which kinds there are, works out the difference and sends it.',
        },
        { who: 'API server', what: 'Who are you, and may you? If not: 403 Forbidden.' },
        {
          who: 'admission',
          what: 'fills in defaults, asks webhooks, validates. Against the rules: 422 Invalid.',
        },
        {
          who: 'etcd',
          what: 'keeps it under a new version. This is when kubectl says created or configured.',
        },
        { who: 'Deployment controller', what: 'sees a new Deployment and makes a ReplicaSet.' },
        {
          who: 'ReplicaSet controller',
          what: 'sees that pods are missing and makes them. They have no node yet: Pending.',
        },
        {
          who: 'scheduler',
          what: 'adds up requests and picks a node for each; where none fits it leaves FailedScheduling.',
        },
        {
          who: 'kubelet',
          what: 'sees a new pod on its node, pulls images, mounts volumes, starts containers.',
        },
        {
          who: 'kubelet',
          what: 'Once the probes pass the pod is Ready, and only then a Service sends to it.',
        },
      ] as Step[],
      note: 'Each of them talks to the API server only. When things are stuck, look who wrote last.',
    },
    life: {
      title: 'The life of a pod',
      flow: [
        { state: 'Pending', what: 'It exists, but has no node, or its images are still coming.' },
        { state: 'ContainerCreating', what: 'It has a node; volumes, images and network are made ready.' },
        { state: 'Running', what: 'At least one container runs. That is not yet usable.' },
        { state: 'Ready', what: 'The probes pass, and a Service sends requests to it.' },
        { state: 'Terminating', what: 'SIGTERM, 30 seconds to finish, then SIGKILL.' },
      ],
      detours: [
        { from: 'Pending', state: 'FailedScheduling', what: 'Its requests fit on no node.' },
        {
          from: 'ContainerCreating',
          state: 'ImagePullBackOff',
          what: 'An image cannot be had; tried again later.',
        },
        {
          from: 'ContainerCreating',
          state: 'CreateContainerConfigError',
          what: 'A ConfigMap or Secret cannot be had.',
        },
        {
          from: 'Running',
          state: 'CrashLoopBackOff',
          what: 'The program keeps ending; each restart waits longer.',
        },
        { from: 'Running', state: 'OOMKilled', what: 'It used more memory than its limit.' },
      ],
      detour: 'Where it gets stuck',
    },
    request: {
      title: 'The path of a request',
      steps: [
        { who: 'browser', what: 'http://localhost:8080, led into the cluster by port-forward' },
        {
          who: 'istio-ingressgateway',
          what: 'The front door. While it is Pending, nothing behind it matters',
        },
        { who: 'oauth2-proxy', what: 'Knows you? If not, Dex signs you in' },
        { who: 'Istio', what: 'Checks the token and writes kubeflow-userid' },
        { who: 'VirtualService', what: 'Picks the application or model by the path' },
        { who: 'sidecar', what: "The pod's own proxy asks the policy once more" },
        { who: "KServe's model", what: 'Reads the request, answers with a prediction' },
      ] as Step[],
    },
    training: {
      title: 'Who talks to whom while training',
      items: [
        {
          name: 'PyTorchJob',
          kind: 'ring',
          what: 'All pods are alike and exchange gradients. Rank 0 is only where they meet.',
          parts: ['rank 0', 'rank 1', 'rank 2', 'rank 3'],
        },
        {
          name: 'TFJob',
          kind: 'star',
          what: 'The parameters live on a parameter server; workers fetch them and send gradients back.',
          parts: ['PS', 'worker 0', 'worker 1', 'worker 2'],
        },
        {
          name: 'MPIJob',
          kind: 'launch',
          what: 'The launcher starts processes on the workers over SSH; then the workers talk.',
          parts: ['launcher', 'worker 0', 'worker 1', 'worker 2'],
        },
        {
          name: 'TrainJob',
          kind: 'chain',
          what: 'You write a short TrainJob; the blueprint is a runtime, and the pods of a JobSet do the work.',
          parts: ['TrainJob', 'runtime', 'JobSet', 'pods'],
        },
      ],
    },
    memory: {
      title: 'What all of Kubeflow 26.03.1 requests',
      cpu: 'CPU',
      memory: 'Memory',
      pods: 'Pods',
      part: 'Part',
      total: 'Sum',
      node: "With minikube's own kube-system on top, a node of 4 GiB has no room for even half of it.",
      mark: 'a node of 4 GiB',
      note: 'Requests as the scheduler adds them up, sidecars included; not what is really used.',
      groups: {
        istio: 'Istio, front door and mesh',
        knative: 'Knative',
        pipelines: 'Pipelines',
        registry: 'Model Registry (Hub)',
        kserve: 'KServe',
        katib: 'Katib',
        training: 'Trainer',
        spark: 'Spark Operator',
        access: 'Sign-in and certificates',
        desk: 'Dashboard and Notebooks',
      } as Record<string, string>,
    },
    architecture: {
      title: 'The architecture of Kubeflow: choose a part',
      what: 'What it is',
      needs: 'It needs',
      carries: 'Needed by',
      pods: 'Its pods',
      nobody: 'nothing but Kubernetes',
      lesson: 'Read the lesson',
      where: 'Namespace',
      choose: 'Choose a component',
    },
  },
};
